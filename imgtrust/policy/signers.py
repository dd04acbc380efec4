"""The table of a signer, read already, becomes a value: a key, a keyless identity, or Notary certificates. Pure.

Knows what of each kind goes together and which names can be read; knows nothing of files, and trusts nobody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from imgtrust.errors import UsageError
from imgtrust.policy.fields import Fault, nearest
from imgtrust.policy.subjectnames import check_identity, check_root
from imgtrust.policy.values import PUBLIC_GOOD, KeylessSigner, KeySigner, NotarySigner, SigstoreTrust

if TYPE_CHECKING:
    from datetime import datetime

    from imgtrust.policy.fields import Fields
    from imgtrust.policy.lines import KeyPath
    from imgtrust.policy.values import Signer

__all__ = ["read_instance", "read_signer", "read_window"]

_PRIVATE: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def read_signer(name: str, fields: Fields, instances: tuple[str, ...]) -> Signer:
    """A signer; ``instances`` are the names of Sigstore instances that it may name.

    Raises:
        Fault: what it names is no key, pattern, identity or instance.
    """
    path: KeyPath = ("signers", name)
    if "sigstore" in fields:
        return _keyless(name, fields, path, instances)
    return _notary(name, fields, path) if "notary" in fields else _key(name, fields, path)


def read_instance(name: str, fields: Fields) -> SigstoreTrust:
    """A Sigstore instance.

    Raises:
        Fault: it has the name of the built-in one.
    """
    if name == PUBLIC_GOOD:
        raise Fault(("sigstore", name), f'"{PUBLIC_GOOD}" is built in: give yours another name')
    return SigstoreTrust(name, cast("str", fields["trusted_root"]))


def read_window(fields: Fields, path: KeyPath) -> tuple[datetime | None, datetime | None]:
    """``not_before`` and ``not_after``.

    Raises:
        Fault: no time lies between them.
    """
    start = cast("datetime | None", fields.get("not_before"))
    end = cast("datetime | None", fields.get("not_after"))
    if start is not None and end is not None and start >= end:
        raise Fault((*path, "not_after"), '"not_after" is not later than "not_before": no time lies between them')
    return start, end


def _key(name: str, fields: Fields, path: KeyPath) -> KeySigner:
    key = cast("str", fields["key"])
    if _PRIVATE.search(key):
        raise Fault((*path, "key"), "this is a private key: a policy names public keys (imgtrust keys public KEY)")
    return KeySigner(name, key, *read_window(fields, path))


def _keyless(name: str, fields: Fields, path: KeyPath, instances: tuple[str, ...]) -> KeylessSigner:
    from imgtrust.policy.patterns import compile_pattern  # noqa: PLC0415 - only for keyless signers
    from imgtrust.trust.identities import EXTENSIONS  # noqa: PLC0415 - as above

    sigstore = cast("str", fields["sigstore"])
    known = (PUBLIC_GOOD, *instances)
    if sigstore not in known:
        told = (
            f'"sigstore" names "{sigstore[:80]}", which is no [sigstore.NAME] of this policy{nearest(sigstore, known)}'
        )
        raise Fault((*path, "sigstore"), told)
    for word in ("issuer_regexp", "identity_regexp"):
        if word in fields:
            try:
                compile_pattern(cast("str", fields[word]))
            except UsageError as exc:
                raise Fault((*path, word), f'"{word}": {exc}') from exc
    return KeylessSigner(
        name,
        sigstore,
        cast("str | None", fields.get("issuer")),
        cast("str | None", fields.get("issuer_regexp")),
        cast("str | None", fields.get("identity")),
        cast("str | None", fields.get("identity_regexp")),
        tuple((word, cast("str", fields[word])) for word in EXTENSIONS if word in fields),
        cast("bool", fields.get("log", True)),
    )


def _notary(name: str, fields: Fields, path: KeyPath) -> NotarySigner:
    kind = cast("str", fields["notary"])
    single = cast("str | None", fields.get("profile"))
    if single is not None and kind != "aws-signer":
        raise Fault((*path, "profile"), f'"profile" is asked of "aws-signer" only, a "{kind}" has "identities"')
    identities = cast("tuple[str, ...]", fields.get("identities", ())) if single is None else (single,)
    for number, identity in enumerate(identities):
        try:
            check_identity(kind, identity)
        except UsageError as exc:
            where = (*path, "identities", number) if single is None else (*path, "profile")
            raise Fault(where, str(exc)) from exc
    roots = cast("tuple[str, ...]", fields.get("roots", ()))
    if not roots and kind != "aws-signer":
        raise Fault((*path, "notary"), f'a "{kind}" needs "roots": the certificates that its signers come from')
    for number, root in enumerate(roots):
        try:
            check_root(root)
        except UsageError as exc:
            raise Fault((*path, "roots", number), str(exc)) from exc
    return NotarySigner(name, kind, identities, roots, cast("str", fields.get("revocation", "enforce")))
