"""Good evidence of every shape, two Sigstore instances, and the roots under which all of it is judged.

Keys are random, so a world is made once and kept: the same seed makes the same cases in the same world. Each piece is
of its own time, so that a time that moves from one to another is seen.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from imgtrust import strict_json
from imgtrust.reference import Digest
from imgtrust.signers.authority import LocalAuthority
from imgtrust.trust.anchors import TrustedIdentity
from imgtrust.trust.keys import TrustedKey
from imgtrust.trust.notary.answers import Answer, Revocations
from imgtrust.trust.notary.judgement import questions
from imgtrust.trust.roots import TrustRoot, parse_tsa_chain
from imgtrust.trust.signatures import VerifiedSignature, assess
from tests.simulators import evidence as keyed
from tests.simulators import notaryenvelopes as notary
from tests.simulators.fulcio import EMAIL, ISSUER, extension, utf8
from tests.simulators.pki import Certified, authority, leaf
from tests.simulators.revocation import listed, said
from tests.simulators.sigstore import V1, V2, Signer, VirtualSigstore, document_of
from tests.simulators.timestamps import chain
from tests.simulators.tuf import TufRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.evidence import Evidence
    from imgtrust.trust.signatures import Refusal

__all__ = ["AT", "OTHER", "Piece", "World", "make_world"]

AT: Final = keyed.AT
"""The time of judgement."""
MANIFEST: Final = keyed.MANIFEST
OTHER_MANIFEST: Final = b'{"schemaVersion":2,"other":true}'
OTHER: Final = Digest.of(OTHER_MANIFEST)
"""The digest of the image that half of the evidence is not about."""

_START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
_URI: Final = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
_OLD: Final = "application/vnd.dev.sigstore.bundle+json;version=0."
_PROVENANCE: Final = "https://slsa.dev/provenance/v1"
_OCSP: Final = "http://ocsp.invalid/"
_CRL: Final = "http://crl.invalid/"
_DELTA: Final = "http://delta.invalid/"


@dataclass(frozen=True)
class Piece:
    """One piece of good evidence, the name of the root that believes it, and the answers that this takes."""

    evidence: Evidence
    root: str
    revocations: Revocations = field(default_factory=lambda: Revocations({}))


@dataclass
class World:
    """All that cases are made of.

    ``pieces`` are believed by their root, ``refused`` are not. ``material``: DER, PEM and JSON by name; ``keys``:
    private ones as PKCS#8; ``served``: what a TUF repository answers, by path.
    """

    pieces: dict[str, Piece] = field(default_factory=dict)
    refused: dict[str, Piece] = field(default_factory=dict)
    roots: dict[str, TrustRoot] = field(default_factory=dict)
    material: dict[str, bytes] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    served: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Remember what was judged and loaded, for the life of a process."""
        self._said: dict[tuple[str, str], VerifiedSignature | Refusal] = {}
        self._loaded: dict[str, Any] = {}
        self.remembered: set[Any] = set()

    def believed(self, piece: str, root: str) -> VerifiedSignature | Refusal:
        """What is believed of an unchanged piece under a root."""
        if (piece, root) not in self._said:
            found = self.pieces[piece]
            self._said[piece, root] = assess(found.evidence, self.roots[root], at=AT, revocations=found.revocations)
        return self._said[piece, root]

    def homes(self) -> list[tuple[str, str]]:
        """Each piece with the root that believes it."""
        return [(name, piece.root) for name, piece in self.pieces.items()]

    def key(self, name: str) -> Any:
        """A private key by name."""
        if name not in self._loaded:
            self._loaded[name] = load_der_private_key(self.keys[name], None)
        return self._loaded[name]

    def __getstate__(self) -> tuple[Any, ...]:
        return self.pieces, self.refused, self.roots, self.material, self.keys, self.served

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.pieces, self.refused, self.roots, self.material, self.keys, self.served = state
        self.__post_init__()


@functools.cache
def make_world() -> World:
    """A fresh world, once per process; every piece in it is believed by its root."""
    world = World()
    clock = _clock()
    acme, other = VirtualSigstore(), VirtualSigstore(name="other")
    keys = {
        "p256": keyed.Key.new(),
        "p384": keyed.Key(ec.generate_private_key(ec.SECP384R1())),
        "p521": keyed.Key(ec.generate_private_key(ec.SECP521R1())),
        "rsa": keyed.Key(rsa.generate_private_key(65537, 2048)),
        "ed25519": keyed.Key(ed25519.Ed25519PrivateKey.generate()),
    }
    stamps = _Stamps(clock)
    _keyed(world, keys, stamps, acme, clock)
    _keyless(world, acme, clock)
    _others(world, other, clock)
    _legacy(world, keys["p256"], acme, clock)
    certified = _notary(world, stamps)
    _roots(world, keys, stamps, (acme, other), certified)
    _revocable(world)
    _material(world, keys, stamps, (acme, other), certified)
    _published(world)
    for name, root in world.homes():
        found = world.believed(name, root)
        assert isinstance(found, VerifiedSignature), (name, found)
    return world


def _clock() -> Iterator[datetime]:
    """One moment after the other, an hour apart."""
    moment = _START
    while True:
        yield moment
        moment += timedelta(hours=1)


class _Stamps:
    """Two time-stamp authorities: one whose tokens hold its chain, and one whose tokens hold nothing."""

    def __init__(self, clock: Iterator[datetime]) -> None:
        self.full = LocalAuthority(lambda: next(clock), name="full", certificates=True, intermediate=True)
        self.bare = LocalAuthority(lambda: next(clock), name="bare", algorithm="sha384", accuracy=timedelta(seconds=1))

    def both(self, signature: bytes) -> tuple[bytes, bytes]:
        """A response of each."""
        return self.full.stamp(signature), self.bare.stamp(signature)

    def token(self, signature: bytes) -> bytes:
        """A bare token, as Notary has it."""
        response = self.full.stamp(signature)
        return response[response.index(b"\x02\x01\x00") + 3 :]


def _keyed(
    world: World, keys: dict[str, keyed.Key], stamps: _Stamps, acme: VirtualSigstore, clock: Iterator[datetime]
) -> None:
    """Bundles signed with a key."""
    for name, key in keys.items():
        payload = keyed.statement(annotations=None)
        signature = key.sign(keyed.pae(payload))
        data = keyed.envelope_bundle(key.public.hint, payload, signature, stamps.both(signature))
        world.pieces[f"key-{name}"] = Piece(keyed.evidence(data), "keys")
    first, second = keys["p256"], keys["p384"]
    named = [{"digest": {"sha256": keyed.IMAGE.encoded}, "name": "app", "annotations": {"team": "a"}}]
    started = {"startedOn": "2026-02-01T00:00:00Z"}
    predicate = {"runDetails": {"builder": {"id": "https://builder.test"}, "metadata": started}}
    stated = keyed.statement(predicate_type=_PROVENANCE, predicate=predicate, subject=named)
    signature = first.sign(keyed.pae(stated))
    data = keyed.envelope_bundle("", stated, signature, (stamps.bare.stamp(signature),))
    world.pieces["key-window"] = Piece(keyed.evidence(data), "window")
    world.pieces["key-message"] = Piece(keyed.evidence(keyed.message_bundle(first)), "keys")
    world.pieces["key-message-content"] = Piece(
        replace(keyed.evidence(keyed.message_bundle(keys["rsa"])), content=MANIFEST), "keys"
    )
    world.pieces["key-other"] = Piece(
        keyed.evidence(keyed.bundle(second, keyed.statement(OTHER)), subject=OTHER), "keys"
    )
    for name, kind in (("rekor1", ("dsse", "0.0.1")), ("rekor1-intoto", ("intoto", "0.0.2")), ("rekor2", V2)):
        logged = acme.evidence(Signer(first), kind, when=next(clock))
        world.pieces[f"key-{name}"] = Piece(logged, "keys")


def _keyless(world: World, acme: VirtualSigstore, clock: Iterator[datetime]) -> None:
    """Bundles signed with a certificate: every version, kind of entry and source of time."""
    made: dict[str, dict[str, Any]] = {
        "v03-dsse1": {"kind": V1},
        "v03-intoto2": {"kind": ("intoto", "0.0.2")},
        "v03-rekor2": {"kind": V2},
        "v03-rekor2-dsse": {"kind": ("dsse", "0.0.2"), "stamped": 2},
        "v03-message1": {"kind": ("hashedrekord", "0.0.1"), "message": MANIFEST},
        "v03-message2": {"kind": V2, "message": MANIFEST},
        "v03-both-times": {"kind": V1, "stamped": 1},
        "v02": {"kind": V1, "media_type": f"{_OLD}2"},
        "v01": {"kind": V1, "media_type": f"{_OLD}1"},
    }
    for name, options in made.items():
        acme.now = next(clock)
        signer = acme.certify(when=acme.now - timedelta(minutes=1))
        document = acme.bundle(signer, when=acme.now, **options)
        if name in {"v01", "v02"}:
            above = {"rawBytes": keyed.b64(acme.fulcio.chain[0].der)}
            both = [document["verificationMaterial"].pop("certificate"), above]
            document["verificationMaterial"]["x509CertificateChain"] = {"certificates": both}
        if name == "v01":
            del document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
        world.pieces[f"keyless-{name}"] = Piece(document_of(document), "acme")
    acme.now = next(clock)
    names = (x509.UniformResourceIdentifier(_URI),)
    more = (extension(12, utf8("https://github.com/acme/app")), extension(14, utf8("refs/heads/main")))
    key = keyed.Key(ec.generate_private_key(ec.SECP384R1()))
    workflow = acme.certify(key, when=acme.now, names=names, more=more)
    world.pieces["keyless-workflow"] = Piece(acme.evidence(workflow, V1, when=acme.now), "acme")
    acme.now = next(clock)
    signer = acme.certify(when=acme.now)
    world.pieces["keyless-tsa-only"] = Piece(acme.evidence(signer, None, when=acme.now), "unlogged")


def _others(world: World, other: VirtualSigstore, clock: Iterator[datetime]) -> None:
    """The same by another instance, and about another image."""
    for name, payload in (("same-subject", keyed.statement()), ("", keyed.statement(OTHER))):
        other.now = next(clock)
        signer = other.certify(when=other.now)
        document = other.bundle(signer, V1, payload=payload, when=other.now, stamped=1)
        found = replace(document_of(document), subject=keyed.IMAGE if name else OTHER)
        world.pieces[f"keyless-other{'-' if name else ''}{name}"] = Piece(found, "other")


def _legacy(world: World, key: keyed.Key, acme: VirtualSigstore, clock: Iterator[datetime]) -> None:
    """The layers of cosign before version 3."""
    stamps = LocalAuthority(lambda: next(clock), name="legacy")
    payload = keyed.simple_payload(optional={"team": "a"})
    signature = key.sign(payload)
    token = strict_json.dumps({"SignedRFC3161Timestamp": keyed.b64(stamps.stamp(signature))}).decode()
    more = {"dev.cosignproject.cosign/signature": keyed.b64(signature)}
    world.pieces["legacy-key-sig"] = Piece(keyed.signature_layer(key, payload, timestamp=token, more=more), "keys")
    world.pieces["legacy-key-att"] = Piece(keyed.attestation_layer(key), "keys")
    world.pieces["legacy-key-logged"] = Piece(acme.layer(Signer(key), when=next(clock)), "keys")
    shapes: dict[str, dict[str, Any]] = {
        "sig": {},
        "att": {"attestation": True},
        "att-intoto1": {"attestation": True, "kind": ("intoto", "0.0.1")},
    }
    for name, options in shapes.items():
        moment = next(clock)
        found = acme.layer(acme.certify(when=moment), when=moment, **options)
        world.pieces[f"legacy-keyless-{name}"] = Piece(found, "acme")
    world.material["legacy-tsa"] = stamps.pem


def _notary(world: World, stamps: _Stamps) -> tuple[Certified, ...]:
    """Envelopes of the Notary Project."""
    root = authority()
    middle = authority("intermediate", root)
    first = leaf(middle)
    signer = (first, middle, root)
    scheme = "notary.x509.signingAuthority"
    body = notary.payload(annotations={"team": "a"})
    made = {
        "jws": notary.jws(signer, stamp=stamps.token, body=body),
        "jws-unstamped": notary.jws(signer, protected=notary.header(first, expiry="2027-01-01T00:00:00Z")),
        "jws-authority": notary.jws(signer, protected=notary.header(first, scheme)),
        "jws-aws": notary.jws(signer, protected=notary.aws_header(first)),
    }
    for name, data in made.items():
        world.pieces[f"notary-{name}"] = Piece(notary.evidence(data, content=MANIFEST), "notary")
    coded = {
        "cose": notary.cose(signer, stamp=stamps.token, body=body),
        "cose-authority": notary.cose(signer, protected=notary.cose_header(notary.header(first, scheme))),
        "cose-aws": notary.cose(signer, protected=notary.cose_header(notary.aws_header(first))),
    }
    for name, data in coded.items():
        world.pieces[f"notary-{name}"] = Piece(notary.evidence(data, notary.COSE), "notary")
    another = notary.jws(signer, body=notary.payload(digest=str(OTHER), size=len(OTHER_MANIFEST)))
    world.pieces["notary-other"] = Piece(notary.evidence(another, subject=OTHER), "notary")
    return signer


def _roots(
    world: World,
    keys: dict[str, keyed.Key],
    stamps: _Stamps,
    instances: tuple[VirtualSigstore, VirtualSigstore],
    certified: tuple[Certified, ...],
) -> None:
    """Who is trusted, under each name."""
    acme, other = (each.root() for each in instances)
    legacy = parse_tsa_chain(world.material["legacy-tsa"], "legacy")
    authorities = (stamps.full.authority, stamps.bare.authority, legacy)
    trusted = tuple(TrustedKey(name, key.public) for name, key in keys.items())
    people = (
        TrustedIdentity("release", acme, ISSUER, EMAIL),
        TrustedIdentity("anybody", acme, re.compile(r"https://accounts\..*"), re.compile(r".*@acme\.test")),
        TrustedIdentity("workflow", acme, ISSUER, _URI, (("source_repository_ref", "refs/heads/main"),)),
    )
    window = (_START - timedelta(days=1), _START + timedelta(days=30))
    stores = (
        notary.notary(certified[2]),
        notary.notary(certified[2], name="named", subjects=((("C", "US"), ("O", "Acme")),)),
        notary.notary(certified[2], name="authority", kind="signing-authority"),
        notary.notary(certified[1], name="aws", kind="aws-signer", profiles=(notary.PROFILE,)),
    )
    strangers = (TrustedIdentity("stranger", other, ISSUER, EMAIL),)
    world.roots = {
        "keys": TrustRoot(trusted, authorities, logs=acme.logs),
        "window": TrustRoot((TrustedKey("windowed", keys["p256"].public, *window),), authorities, logs=acme.logs),
        "acme": TrustRoot(identities=people),
        "unlogged": TrustRoot(identities=(TrustedIdentity("release", acme, ISSUER, EMAIL, log=False),)),
        "other": TrustRoot(identities=strangers),
        "notary": TrustRoot(authorities=authorities, notary=stores),
        "all": TrustRoot(trusted, authorities, people + strangers, stores, acme.logs + other.logs),
        "nobody": TrustRoot(authorities=authorities, logs=acme.logs),
    }


def _revocable(world: World) -> None:
    """Notary signatures that are believed only because of answers about revocation; and answers that revoke."""
    root = authority()
    world.roots["enforcing"] = notary.trusting(notary.notary(root, revocation="enforce"))
    one = leaf(root, ocsp=(_OCSP,), crl=(_CRL,))
    two = leaf(root, crl=(_CRL,), delta=(_DELTA,))
    back = ((two, x509.ReasonFlags.remove_from_crl, None),)
    made: tuple[tuple[str, Certified, dict[str, bytes]], ...] = (
        ("ocsp", one, {_OCSP: said(one, root), _CRL: b""}),
        ("crl", one, {_OCSP: b"", _CRL: listed(root)}),
        ("delta", two, {_CRL: listed(root, two), _DELTA: listed(root, revoked=back, base=6, number=8)}),
        ("revoked-ocsp", one, {_OCSP: said(one, root, revoked_at=AT), _CRL: listed(root, one)}),
        ("revoked-crl", one, {_OCSP: b"", _CRL: listed(root, one)}),
    )
    for name, certified, given in made:
        envelope = notary.evidence(notary.jws((certified, root)))
        found = Piece(envelope, "enforcing", _answers(envelope, world.roots["enforcing"], given))
        place = world.refused if name.startswith("revoked") else world.pieces
        place[f"notary-{name}"] = found
    world.material |= {
        "revocable": one.der,
        "revocable-delta": two.der,
        "issuer": root.der,
        "crl": listed(root, one),
        "crl-base": listed(root, two),
        "delta": listed(root, revoked=back, base=6, number=8),
        "ocsp": said(one, root, revoked_at=AT, invalid_since=AT),
        "ocsp-good": said(one, root),
    }
    world.keys["issuer"] = private(root.key)


def _answers(envelope: Evidence, root: TrustRoot, given: dict[str, bytes]) -> Revocations:
    """All answers that a judgement asks for."""
    known: dict[tuple[str, bytes], Answer] = {}
    while asked := questions(envelope, root, at=AT, revocations=Revocations(known, AT)):
        for question in asked:
            known[question.key] = Answer(given[question.url])
    return Revocations(known, AT)


def _material(
    world: World,
    keys: dict[str, keyed.Key],
    stamps: _Stamps,
    instances: tuple[VirtualSigstore, VirtualSigstore],
    certified: tuple[Certified, ...],
) -> None:
    """What parsers of single parts are given, and the keys that altered parts are signed with again."""
    acme, other = instances
    signer = acme.certify()
    world.material |= {
        "root-acme": strict_json.dumps(acme.document()),
        "root-other": strict_json.dumps(other.document(ctlogs=[])),
        "tsa-full": stamps.full.pem,
        "tsa-bare": stamps.bare.pem,
        "token-full": stamps.full.stamp(b"a signature"),
        "token-bare": stamps.bare.stamp(b"a signature"),
        "checkpoint1": acme.log.checkpoint().encode(),
        "checkpoint2": acme.log2.checkpoint().encode(),
        "fulcio-leaf": certified_der(signer),
        "fulcio-issuer": acme.fulcio.chain[0].der,
        "fulcio-root": acme.fulcio.chain[1].der,
    }
    world.material |= {f"notary-{number}": each.der for number, each in enumerate(certified)}
    world.material |= {f"public-{name}": key.public.der for name, key in keys.items()}
    world.keys |= {f"notary-{number}": private(each.key) for number, each in enumerate(certified)}
    world.keys |= {"p256": private(keys["p256"].private), "fulcio-issuer": private(acme.fulcio.chain[0].key)}
    world.keys |= {"fulcio-leaf": private(signer.key.private), "attacker": private(keyed.Key.new().private)}
    world.keys |= {"ct-log": private(acme.fulcio.log.key.private), "log": private(acme.log.key.private)}
    stamping = chain("forging")
    world.material |= {f"forging-{number}": each.der for number, each in enumerate(stamping)}
    world.keys["forging"] = private(stamping[0].key)


def _published(world: World) -> None:
    """A TUF repository with two files, valid for as long as a world is kept."""
    end = datetime(2100, 1, 1, tzinfo=UTC)
    files = {"trusted_root__json": world.material["root-acme"], "signing_config__v0__2__json": b"{}"}
    with TufRepository() as repository:
        repository.roots.clear()
        repository.rotate(expires=end)
        first = repository.first_root
        repository.rotate(expires=end)
        repository.publish(by=None, expires=end, **files)
        world.served = dict(repository.served)
    world.material["tuf-root"] = first
    world.material |= {f"tuf-{name.replace('__', '.')}": data for name, data in files.items()}


def certified_der(signer: Signer) -> bytes:
    """The certificate of a signer."""
    assert signer.certified is not None
    return signer.certified.der


def private(key: Any) -> bytes:
    """A private key as PKCS#8."""
    data: bytes = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return data
