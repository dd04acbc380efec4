"""Cases of what people, registries and services hand over: policies, credentials, keys, headers, tokens, answers.

The oracle: nothing is raised but what the parser documents; what has a writer is written and read again.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import ipaddress
import json
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from imgtrust import strict_json
from imgtrust.content import OCI_INDEX
from imgtrust.errors import (
    ContentMalformed,
    InputFileError,
    KeyUnusable,
    LimitExceeded,
    PolicyError,
    StoreProtocol,
    UsageError,
)
from imgtrust.policy.document import read_policy
from imgtrust.policy.durations import parse_duration, parse_time
from imgtrust.policy.lint import lint
from imgtrust.policy.patterns import compile_pattern
from imgtrust.policy.scopes import check_pattern
from imgtrust.policy.subjectnames import parse_identity
from imgtrust.policy.writing import write_policy
from imgtrust.reference import Digest
from imgtrust.signers import keyfile, sealed
from imgtrust.signers.der import DerError, read, read_oid
from imgtrust.signers.keyfile import parse_private_key, write_pkcs8, write_sealed
from imgtrust.signers.oidc import parse_token
from imgtrust.signers.signingconfig import read_signing_config
from imgtrust.stores.addresses import origin_of, resolve_address, shown
from imgtrust.stores.authfiles import auth_keys, parse_auth_file
from imgtrust.stores.fallback import entries_of, merge
from imgtrust.stores.headers import (
    content_range,
    media_type,
    next_link,
    parse_challenges,
    range_end,
    retry_after,
)
from imgtrust.stores.layoutindex import parse_index, parse_layout_file
from tests.fuzz.parsers import of_bytes, require, same
from tests.fuzz.world import AT

if TYPE_CHECKING:
    from tests.fuzz.world import World

__all__ = ["TARGETS"]

_SUBJECT: Final = Digest.of(b"subject")


def _json(*documents: Any) -> tuple[bytes, ...]:
    return tuple(json.dumps(each).encode() for each in documents)


# --- policies ---------------------------------------------------------------------------------------------------------

_POLICY: Final = b"""version = 1
[signers.release]
key = "keys/release.pub"
not_before = 2026-01-01T00:00:00Z
not_after = 2027-01-01T00:00:00Z
[sigstore.private]
trusted_root = "root.json"
[signers.ci]
sigstore = "private"
issuer = "https://token.actions.githubusercontent.com"
identity_regexp = "https://github\\\\.com/acme/.*"
source_repository_ref = "refs/heads/main"
[signers.aws]
notary = "aws-signer"
profile = "arn:aws:signer:eu-west-3:111122223333:/signing-profiles/release"
[signers.notation]
notary = "ca"
roots = ["a.crt", "b.crt"]
identities = ["x509.subject: C=US, ST=WA, O=Acme"]
revocation = "log"
[time]
tsa_roots = ["tsa.pem"]
[[scopes]]
images = ["111122223333.dkr.ecr.*.amazonaws.com/team/**", "oci:/srv/**"]
promote_to = ["registry.example.com/prod/**"]
signatures = { any_of = ["release", "ci"], count = 1 }
[scopes.publish]
trusted_time = ["tsa", "rekor"]
max_age = "90d"
min_soak = "24h"
[[scopes.evidence]]
type = "slsa-provenance"
signed_by = ["ci"]
builder = "https://github.com/actions/runner/github-hosted"
"""
_POLICY_WORDS: Final = (
    *(b"true", b"-1", b"1e400", b"0x7fffffffffffffffffff", b"2026-02-30", b"9999-12-31T23:59:59-23:59", b"'''", b'"""'),
    *(b"[[", b"[scopes]", b"a.b.c.d", b"**", b"(a+)+$", b"10000000000d", b"0s", b"{", b"\\u0000", b"inf", b"nan"),
)
_PATTERNS: Final = (
    *(b"90d", b"36h", b"2026-03-01T12:00:00Z", b"2026-03-01T12:00:00+02:00", b"https://github\\.com/[a-z]{2,5}/(a|b)+"),
    *(b"**/x/*", b"registry.*.test:5000/a*/**", b"oci:/srv/**", b"x509.subject: C=US, ST=WA, O=Acme\\, Inc., CN=x"),
)


def _policy(_: World, data: bytes) -> None:
    found = read_policy(data, "policy.toml")
    lint(found)
    same(read_policy(write_policy(found).encode(), "again"), found, "written and read again")


def _words_of_policies(_: World, data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for check in (check_pattern, parse_identity, parse_duration, parse_time, compile_pattern):
        with contextlib.suppress(UsageError):
            check(text)


# --- keys, tokens, signing configs ------------------------------------------------------------------------------------


class _NotDerivedError(Exception):
    """The key could be opened, and was not: scrypt takes a tenth of a second on purpose."""


@functools.lru_cache(maxsize=2)
def _keys_of(name: bytes) -> tuple[bytes, ...]:
    from cryptography.hazmat.primitives.serialization import load_der_private_key  # noqa: PLC0415 - once per process

    key: Any = load_der_private_key(name, None)
    old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return write_pkcs8(key, b""), old, write_sealed(key, b"secret")


def _private_key(_: World, data: bytes) -> None:
    """An encrypted key is read up to the passphrase: it is asked for before anything is derived."""

    def asked() -> bytes:
        with contextlib.suppress(binascii.Error, ValueError, TypeError, KeyError):
            _, body, _ = keyfile._block(data, "key.pem")
            sealed._members(strict_json.loads(base64.b64decode(b"".join(body.split()), validate=True)))
            raise _NotDerivedError
        return b"secret"

    parse_private_key(data, "key.pem", asked)


_SERVICE: Final = {
    "url": "https://log.test",
    "majorApiVersion": 2,
    "operator": "acme",
    "validFor": {"start": "2025-01-01T00:00:00Z", "end": "2030-01-01T00:00:00+02:00"},
}
_SIGNING_CONFIG: Final = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    "caUrls": [{**_SERVICE, "majorApiVersion": 1}],
    "oidcUrls": [{**_SERVICE, "majorApiVersion": 1}],
    "rekorTlogUrls": [_SERVICE, {**_SERVICE, "majorApiVersion": 1}],
    "rekorTlogConfig": {"selector": "ANY"},
    "tsaUrls": [{**_SERVICE, "majorApiVersion": 1}],
    "tsaConfig": {"selector": "EXACT", "count": 1},
}
_CLAIMS: Final = {
    "iss": "https://issuer.test",
    "aud": ["sigstore"],
    "exp": 4102444800,
    "email": "a@b.c",
    "email_verified": True,
    "federated_claims": {"connector_id": "https://other.test"},
}


def _part(document: Any) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=")


def _token(_: World, data: bytes) -> None:
    parse_token(data.decode("utf-8", "replace"), "the token", AT)


def _signing_config(_: World, data: bytes) -> None:
    read_signing_config(data, "config.json", at=AT)


def _signers_der(_: World, data: bytes) -> None:
    for _tag, content in read(data):
        with contextlib.suppress(DerError):
            read(content)
        with contextlib.suppress(DerError):
            read_oid(content)


# --- what registries say ----------------------------------------------------------------------------------------------

_HEADERS: Final = (
    b'Bearer realm="https://auth.test/token",service="registry",scope="repository:a:pull"',
    b'Basic realm="a \\"quoted\\" realm", Negotiate',
    b'</v2/a/tags/list?n=100&last=z>; rel="next", <x>; rel=prev',
    *(b"Fri, 31 Dec 2026 23:59:59 GMT", b"120", b"bytes 0-99/1000", b"0-1023", b"application/json; charset=utf-8"),
    *(b"https://registry.test/v2/", b"//other.test:8443/v2/x?y=z#f", b"http://[::1]:5000/x", b"/v2/a/blobs/uploads/1"),
)
_HEADER_WORDS: Final = (b'"' * 3, b"<", b">;", b'rel="next"', b"\\", b"," * 50, b"9" * 400, b"http://", b"[", b"%00")


def _header(_: World, data: bytes) -> None:
    """Headers are latin-1 (RFC 9110 section 5.5); each goes to every reader."""
    text = data.decode("latin-1")
    for challenge in parse_challenges([text]):
        same(challenge.scheme, challenge.scheme.lower(), "a scheme in its one spelling")
    found = next_link([text])
    require(found is None or "<" not in found, "a link with a bracket")
    later = retry_after(text, 0.0)
    require(later is None or later >= 0, "a time before now")
    span = content_range(text)
    require(span is None or span[0] <= span[1], "a range that ends before it begins")
    range_end(text)
    media_type(text)
    list(auth_keys(text, ""))
    for base in ("https://registry.test/v2/", "http://127.0.0.1:5000/v2/"):
        with contextlib.suppress(StoreProtocol):
            address = resolve_address(base, text)
            origin = origin_of(address)
            plain = _is_loopback(origin.host) and base.startswith("http:")
            require(origin.scheme == "https" or plain, "plain HTTP to somewhere else")
            require("?" not in shown(address), "a query in what is shown")


def _is_loopback(host: str) -> bool:
    """RFC 6761 section 6.3, and the addresses of loopback."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


_AUTHS: Final = {
    "auths": {
        "https://index.docker.io/v1/": {"auth": base64.b64encode(b"user:password").decode()},
        "registry.test/team": {"username": "u", "password": "p"},
        "registry.test": {"identitytoken": "t", "registrytoken": ""},
    },
    "credHelpers": {"x.test": "ecr-login"},
    "credsStore": "desktop",
}


def _auth_file(_: World, data: bytes) -> None:
    for old in (True, False):
        with contextlib.suppress(*([InputFileError] if old else [])):
            file = parse_auth_file(data, "config.json", old=old)
            for host, path in (("registry.test", "team/app"), ("index.docker.io", "library/a"), ("x.test", "y")):
                file.helper_for(host)
                file.entry_for(host, path)


def _index(**more: Any) -> dict[str, Any]:
    named = {"org.opencontainers.image.ref.name": "latest", "kind": "dev.cosignproject.cosign/sigs"}
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": str(Digest.of(b"x")), "size": 3}
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry, {**entry, "annotations": named}], **more}


def _fallback(_: World, data: bytes) -> None:
    entry = {"mediaType": "a/b", "digest": str(Digest.of(b"new")), "size": 3}
    known = entries_of(data, OCI_INDEX, _SUBJECT, "x")
    merged = None if known is None else merge(data, OCI_INDEX, _SUBJECT, [entry])
    if known is not None and merged is not None:
        found = entries_of(merged, OCI_INDEX, _SUBJECT, "x")
        same(None if found is None else found[:-1], known, "an entry is lost")


def _layout(_: World, data: bytes) -> None:
    with contextlib.suppress(ContentMalformed):
        parse_layout_file(data, "oci-layout")
    found = parse_index(data, "index.json")
    require(len(found.by_digest) <= len(found.entries), "an entry that is nowhere")
    require(len(found.by_tag) <= len(found.entries), "a tag without an entry")
    str(found.saved_by_cosign)


_LAYOUT: Final = (*_json(_index(), _index(annotations={"a": "b"})), b'{"imageLayoutVersion":"1.0.0"}')
_AUTH_FILES: Final = (*_json(_AUTHS, _AUTHS["auths"]),)
_TOKENS: Final = (b".".join((_part({"alg": "RS256"}), _part(_CLAIMS), b"c2lnbmF0dXJl")),)


def _keys(world: World) -> tuple[bytes, ...]:
    return tuple(each for name in ("p256", "notary-0") for each in _keys_of(world.keys[name]))


TARGETS: Final = (
    of_bytes("policy", lambda _: (_POLICY,), _policy, (PolicyError,), 25, _POLICY_WORDS),
    of_bytes("policy-words", lambda _: _PATTERNS, _words_of_policies, (), 25, _POLICY_WORDS),
    of_bytes("private-key", _keys, _private_key, (KeyUnusable, _NotDerivedError), 20),
    of_bytes("signing-config", lambda _: _json(_SIGNING_CONFIG), _signing_config, (InputFileError,), 20),
    of_bytes("identity-token", lambda _: _TOKENS, _token, (UsageError,), 20),
    of_bytes("headers", lambda _: _HEADERS, _header, (), 40, _HEADER_WORDS),
    of_bytes("credential-file", lambda _: _AUTH_FILES, _auth_file, (InputFileError,), 25),
    of_bytes("fallback-index", lambda _: _json(_index()), _fallback, (ContentMalformed,), 20),
    of_bytes("layout-index", lambda _: _LAYOUT, _layout, (ContentMalformed, LimitExceeded), 20),
    of_bytes("signers-der", lambda world: (world.material["token-full"],), _signers_der, (DerError,), 10),
)
"""Parsers of ``policy``, ``signers`` and ``stores``."""
