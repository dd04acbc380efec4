"""Cases that are signed again after the change: by those who are trusted and say odd things, and by an attacker.

A change of a signed part alone is mostly refused at the signature, and what lies behind it is not seen. Here the
signatures hold. The oracle: never a traceback; who is trusted may be believed in what it says, about this image and
under its own name; an attacker never.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from imgtrust import strict_json
from imgtrust.errors import Refused
from imgtrust.predicates.provenance import builder_id, claimed_times
from imgtrust.predicates.sbom import recognise_predicate
from imgtrust.predicates.summary import read_summary
from imgtrust.reference import Digest
from imgtrust.signers import der
from imgtrust.trust.certificates import load
from imgtrust.trust.notary import lists, responses
from imgtrust.trust.notary.entries import Unusable
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.times import verify_timestamp
from tests.fuzz.cbortree import read_cbor
from tests.fuzz.dertree import Node, read_der, write_der
from tests.fuzz.judgement import Judged, judge
from tests.fuzz.mutators import Mutator
from tests.fuzz.parsers import require, statements
from tests.fuzz.target import Target
from tests.fuzz.world import AT
from tests.simulators import evidence as keyed
from tests.simulators import notaryenvelopes as notary
from tests.simulators.ctlog import CtLog, timestamp_list
from tests.simulators.pki import Certified
from tests.simulators.timestamps import Certified as Stamping
from tests.simulators.timestamps import Parts, attribute, authority, respond
from tests.simulators.translog import inclusion, note, root_of

if TYPE_CHECKING:
    from random import Random

    from imgtrust.evidence import Evidence
    from tests.fuzz.world import World

__all__ = ["TARGETS"]

_SCT_LIST: Final = bytes.fromhex("2b06010401d679020402")
_MESSAGE: Final = b"a signature"
_MANIFEST: Final = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}'


def signed_again(world: World, name: str, body: bytes, algorithm: bytes | None = None) -> bytes:
    """Something with a signature of X.509's form: the body, an algorithm (by default ECDSA with SHA-256), the bits."""
    key: ec.EllipticCurvePrivateKey = world.key(name)
    made = key.sign(body, ec.ECDSA(hashes.SHA256()))
    usual = der.sequence(der.oid("1.2.840.10045.4.3.2"))
    return der.sequence(body, usual if algorithm is None else algorithm, der.tagged(0x03, b"\x00" + made))


def _body(data: bytes) -> tuple[bytes, list[Node]]:
    """What is signed of a certificate or a list, and its parts."""
    (node,) = read_der(data) or []
    parts = (node.inside or [])[0]
    return write_der([parts]), [parts]


# --- statements -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Stated:
    """Evidence around a statement, who signed it, and whose name that is."""

    evidence: Evidence
    payload: bytes
    trusted: bool


def _make_statement(world: World, random: Random) -> _Stated:
    """A statement or a payload with a change, signed by the trusted key or by the attacker's."""
    trusted = random.random() < 0.8
    key = keyed.Key(world.key("p256" if trusted else "attacker"))
    hint = keyed.Key(world.key("p256"))
    donors = statements()
    mutator = Mutator(random, donors)
    payload = mutator.several(random.choice(donors))
    match random.randrange(3):
        case 0:
            found = keyed.evidence(keyed.envelope_bundle(hint.public.hint, payload, key.sign(keyed.pae(payload))))
        case 1:
            found = keyed.attestation_layer(key, payload)
        case _:
            payload = mutator.several(keyed.simple_payload(optional={"team": "a", "n": 1}))
            found = keyed.signature_layer(key, payload)
    return _Stated(found, payload, trusted)


def _judge_statement(world: World, case: _Stated) -> str:
    found = assess(case.evidence, world.roots["keys"], at=AT)
    if isinstance(found, Refusal):
        return str(found.code)
    require(case.trusted, f"the attacker's statement is believed: {found}")
    require(found.signers == ("p256",), f"another signer: {found.signers}")
    require(keyed.IMAGE.encoded in _named(json.loads(case.payload)), f"about nothing that was asked: {found}")
    if found.statement is not None:
        builder_id(found.statement)
        claimed_times(found.statement)
        read_summary(found.statement.predicate)
        recognise_predicate(found.statement.predicate)
    return "accepted"


def _named(document: Any) -> list[str]:
    """The digests in a document, read by nobody of imgtrust."""
    if "critical" in document:
        return [str(document["critical"]["image"]["docker-manifest-digest"]).partition(":")[2]]
    return [each["digest"]["sha256"] for each in document["subject"] if "sha256" in (each.get("digest") or {})]


# --- certificates -----------------------------------------------------------------------------------------------------


def _make_certificate(world: World, random: Random) -> Judged:
    """The leaf of a signature that needs no log, issued anew with a change; shown to the CT log in its new form.

    Its key is mostly the same, so that signature and time-stamp still hold.
    """
    # An entry of a log has the old certificate in it, so that the others are seldom believed.
    name = random.choice((*["keyless-tsa-only"] * 4, "keyless-v03-rekor2", "keyless-v01", "keyless-v03-both-times"))
    piece = world.pieces[name]
    document = strict_json.loads(piece.evidence.payload)
    material = document["verificationMaterial"]
    held = material["certificate"] if "certificate" in material else material["x509CertificateChain"]["certificates"][0]
    _, parts = _body(base64.b64decode(held["rawBytes"]))
    extensions = _extensions(parts[0])
    extensions[:] = [each for each in extensions if not _is_sct(each)]
    donors = [data for data in world.material.values() if data[:1] == b"0"]
    mutator = Mutator(random, donors)
    body = mutator.several(write_der(parts))
    changed, bare = read_der(body), body
    if changed and random.random() < 0.8:
        body = _logged(world, changed, body)
    issuer = "fulcio-issuer" if random.random() < 0.85 else "attacker"
    good = issuer == "fulcio-issuer" and body != bare
    held["rawBytes"] = keyed.b64(signed_again(world, issuer, body))
    if "certificate" not in material and random.random() < 0.5:
        above = material["x509CertificateChain"]["certificates"][1]
        _, upper = _body(world.material["fulcio-issuer"])
        above["rawBytes"] = keyed.b64(signed_again(world, "attacker", mutator.several(write_der(upper))))
    evidence = replace(piece.evidence, payload=strict_json.dumps(document))
    return Judged(evidence, piece.root, piece.revocations, (name,) if good else ())


def _logged(world: World, changed: list[Node], body: bytes) -> bytes:
    """The body with a timestamp of the CT log over it, where it is a certificate at all."""
    try:
        before = x509.load_der_x509_certificate(signed_again(world, "fulcio-issuer", body))
        issuer = load(world.material["fulcio-issuer"])
        stamp = CtLog(keyed.Key(world.key("ct-log"))).timestamp(before, issuer, before.not_valid_before_utc)
        listed = der.octets(timestamp_list(stamp))
        _extensions(changed[0]).append(
            Node(0x30, inside=[Node(0x06, _SCT_LIST), Node(0x04, listed)]),
        )
    except Exception:  # noqa: BLE001 - of what is no certificate the readers speak; here it stays without a timestamp
        return body
    return write_der(changed)


def _extensions(body: Node) -> list[Node]:
    """The list of extensions of a certificate's body; a new one where there is none."""
    for part in body.inside or []:
        if part.tag == 0xA3 and part.inside and part.inside[0].inside is not None:
            return part.inside[0].inside
    return []


def _is_sct(extension: Node) -> bool:
    return bool(extension.inside) and (extension.inside or [Node(0)])[0].content == _SCT_LIST


def _judge_certificate(world: World, case: Judged) -> str:
    """What the authority issues is believed under the names that the policy has; what the attacker issues, never."""
    found = assess(case.evidence, world.roots[case.root], at=AT, revocations=case.revocations)
    if isinstance(found, Refusal):
        return str(found.code)
    require(case.allowed, f"issued by the attacker, or not shown to a CT log: {found}")
    said = world.believed(case.allowed[0], case.root)
    assert isinstance(said, VerifiedSignature)
    require(set(found.signers) <= set(said.signers), f"another signer: {found}")
    times = {(each.time, each.source) for each in said.times}
    require({(each.time, each.source) for each in found.times} <= times, f"another time: {found}")
    require((found.statement, found.subject) == (said.statement, said.subject), f"something else: {found}")
    return "accepted"


def _make_chain(world: World, random: Random) -> Judged:
    """A Notary chain of which one certificate is issued anew with a change, by its issuer or by the attacker."""
    name = random.choice(("notary-jws-unstamped", "notary-jws-authority", "notary-jws-aws", "notary-jws"))
    piece = world.pieces[name]
    document = strict_json.loads(piece.evidence.payload)
    chain = document["header"]["x5c"]
    at = random.randrange(len(chain))
    donors = [data for data in world.material.values() if data[:1] == b"0"]
    body, _ = _body(base64.b64decode(chain[at]))
    issuer = f"notary-{min(at + 1, 2)}" if random.random() < 0.85 else "attacker"
    chain[at] = keyed.b64(signed_again(world, issuer, Mutator(random, donors).several(body)))
    if random.random() < 0.2:
        del chain[at + 1 :]
    evidence = replace(piece.evidence, payload=strict_json.dumps(document))
    allowed = () if issuer == "attacker" else (name,)
    return Judged(evidence, random.choice((piece.root, "all")), piece.revocations, allowed)


def _make_lonely(world: World, random: Random) -> Judged:
    """An envelope of the attacker's own: one certificate, signed by itself, with a change. Nobody trusts it."""
    attacker = world.key("attacker")
    _, parts = _body(world.material["notary-0"])
    own = read_der(keyed.Key(attacker).public.der) or []
    body = parts[0].inside or []
    version = 1 if body[0].tag == 0xA0 else 0
    body[version + 2], body[version + 5] = body[version + 4], own[0]
    donors = [data for data in world.material.values() if data[:1] == b"0"]
    made = signed_again(world, "attacker", Mutator(random, donors).several(write_der(parts)))
    envelope = notary.jws((_Bare(made, attacker),), protected=_header())  # type: ignore[arg-type]  # has what is needed
    return Judged(notary.evidence(envelope), random.choice(("notary", "enforcing", "all")), _nothing(world), ())


@dataclass(frozen=True)
class _Bare:
    """A certificate that perhaps nobody can read."""

    der: bytes
    key: Any


def _header() -> dict[str, Any]:
    return {**_HEADER, "alg": "ES256"}


_HEADER: Final[dict[str, Any]] = {
    "cty": "application/vnd.cncf.notary.payload.v1+json",
    "crit": [f"{notary.PREFIX}signingScheme"],
    f"{notary.PREFIX}signingScheme": "notary.x509",
    f"{notary.PREFIX}signingTime": "2026-03-01T12:00:00Z",
}


def _nothing(world: World) -> Any:
    return world.pieces["notary-jws"].revocations


# --- Notary's headers -------------------------------------------------------------------------------------------------


def _make_header(world: World, random: Random) -> Judged:
    """A header and a payload with changes, signed by the right key, in both forms."""
    chain = tuple(Certified(load(world.material[f"notary-{at}"]), world.key(f"notary-{at}")) for at in range(3))
    scheme = random.choice(("notary.x509", "notary.x509.signingAuthority"))
    usual = notary.header(chain[0], scheme) if random.random() < 0.7 else notary.aws_header(chain[0])
    coded = random.random() < 0.5
    written = notary.cbor(notary.cose_header(usual)) if coded else json.dumps(usual).encode()
    mutator = Mutator(random, (written, _MANIFEST))
    content = mutator.several(_MANIFEST) if random.random() < 0.3 else keyed.MANIFEST
    subject = Digest.of(content)
    body = notary.payload(annotations={"team": "a"}, digest=str(subject), size=len(content))
    written = mutator.several(written) if random.random() < 0.8 else written
    body = mutator.several(body) if random.random() < 0.3 else body
    if coded:
        signature = notary.sign(chain[0].key, notary.cbor(["Signature1", written, b"", body]))
        parts = [written, {33: [each.der for each in chain]}, body, signature]
        data, layer = notary.cbor(notary.Tagged(18, parts)), notary.COSE
    else:
        message = f"{notary.b64url(written)}.{notary.b64url(body)}".encode()
        document = {
            "payload": notary.b64url(body),
            "protected": notary.b64url(written),
            "header": {"x5c": [keyed.b64(each.der) for each in chain]},
            "signature": notary.b64url(notary.sign(chain[0].key, message)),
        }
        data, layer = json.dumps(document).encode(), notary.JWS
    return Judged(notary.evidence(data, layer, subject=subject, content=content), "notary", _nothing(world), ())


def _judge_notary(world: World, case: Judged) -> str:
    """Whatever a trusted signer says: it is about this image, by a name of the policy, and not of the future."""
    found = assess(case.evidence, world.roots[case.root], at=AT, revocations=case.revocations)
    if isinstance(found, Refusal):
        return str(found.code)
    require(set(found.signers) <= {each.name for each in world.roots[case.root].notary}, f"another signer: {found}")
    require(str(case.evidence.subject) == _target(case.evidence), f"another subject: {found}")
    require(all(each.time <= AT for each in found.times), f"a time after the time of judgement: {found}")
    return "accepted"


def _target(evidence: Evidence) -> str:
    """The digest that an envelope is about, read by nobody of imgtrust but for the CBOR around it."""
    if evidence.layer.media_type == notary.JWS:
        text = str(json.loads(evidence.payload)["payload"])
        body = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    else:
        body = read_cbor(evidence.payload).items[0][2]
    return str(json.loads(body)["targetArtifact"]["digest"])


# --- time-stamps, logs, revocation ------------------------------------------------------------------------------------


def _make_token(world: World, random: Random) -> bytes:
    """A token with odd parts, whose signature holds."""
    leaf = Stamping(load(world.material["forging-0"]), world.key("forging"))
    mutator = Mutator(random, (world.material["token-full"],))
    usual = attribute("1.2.840.113549.1.9.16.2.47", der.sequence(der.sequence(der.sequence(der.octets(bytes(32))))))
    odd: dict[str, bytes] = {
        "time_der": der.tagged(0x18, b"20260301120000Z"),
        "accuracy": der.sequence(der.integer(1), der.tagged(0x80, b"\x05"), der.tagged(0x81, b"\x07")),
        "ordering": der.boolean(value=True),
        "nonce": der.integer(1 << 70),
        "tsa": der.context(0, der.context(4, der.sequence())),
        "extensions": der.context(1, der.sequence(der.oid("1.2.3"), der.octets(b""))),
        "imprint_after": der.null(),
        "certificate_attribute": usual,
        "type_attribute": attribute("1.2.840.113549.1.9.3", der.oid("1.2.840.113549.1.9.16.1.4")),
    }
    parts = Parts(_MESSAGE)
    for name in random.sample(sorted(odd), random.randrange(1, 4)):
        parts = parts.but(**{name: mutator.several(odd[name]) if random.random() < 0.8 else odd[name]})
    if random.random() < 0.3:
        parts = parts.but(more_attributes=(mutator.several(usual),))
    if random.random() < 0.3:
        parts = parts.but(certificates=(mutator.several(leaf.der), leaf.der))
    return respond(leaf, parts)


def _judge_token(world: World, case: bytes) -> str:
    leaf, root = (Stamping(load(world.material[f"forging-{at}"]), world.key("forging")) for at in (0, 1))
    try:
        found = verify_timestamp(case, (_MESSAGE,), (authority((leaf, root)),), at=AT)
    except Refused as exc:
        return str(exc.code)
    require(found.time <= AT, f"a time after the time of judgement: {found}")
    return "accepted"


def _make_entry(world: World, random: Random) -> Judged:
    """A log that took something odd: its promise, proof and checkpoint hold over a body with a change."""
    name = random.choice(("key-rekor1", "key-rekor1-intoto", "keyless-v03-dsse1", "keyless-v03-message1"))
    piece = world.pieces[name]
    document = strict_json.loads(piece.evidence.payload)
    (entry,) = document["verificationMaterial"]["tlogEntries"]
    old = base64.b64decode(entry["canonicalizedBody"])
    body = Mutator(random, (old,)).several(old)
    log = world.roots["acme"].identities[0].root.logs[0]
    key = keyed.Key(world.key("log"))
    members = {
        "body": keyed.b64(body),
        "integratedTime": int(entry["integratedTime"]),
        "logID": log.log_id.hex(),
        "logIndex": int(entry["logIndex"]),
    }
    leaves = [b"another", body]
    text = f"{log.origin} - 1\n2\n{keyed.b64(root_of(leaves))}\n"
    entry["canonicalizedBody"] = keyed.b64(body)
    entry["inclusionPromise"] = {"signedEntryTimestamp": keyed.b64(key.sign(strict_json.dumps(members)))}
    entry["inclusionProof"] = {
        "logIndex": "1",
        "treeSize": "2",
        "rootHash": keyed.b64(root_of(leaves)),
        "hashes": [keyed.b64(each) for each in inclusion(leaves, 1)],
        "checkpoint": {"envelope": note(text, (log.origin, log.log_id[:4], key.sign(text.encode())))},
    }
    evidence = replace(piece.evidence, payload=strict_json.dumps(document))
    return Judged(evidence, piece.root, piece.revocations, (name,))


def _judge_entry(world: World, case: Judged) -> str:
    """Where it is believed, the entry has the signature, the digest and the key of the unchanged one."""
    outcome = judge(world, case)
    if outcome == "accepted":
        good = world.pieces[case.allowed[0]].evidence
        require(_logged_facts(case.evidence) == _logged_facts(good), "the entry is about something else")
    return outcome


def _logged_facts(evidence: Evidence) -> list[str]:
    """Signature, digest and signer's PEM in the body of an entry, read by nobody of imgtrust."""
    (entry,) = json.loads(evidence.payload)["verificationMaterial"]["tlogEntries"]
    spec = json.loads(base64.b64decode(entry["canonicalizedBody"]))["spec"]
    if "data" in spec:
        value, line = spec["data"]["hash"]["value"], spec["signature"]
        found = [value, line["content"], line["publicKey"]["content"]]
    elif "content" in spec:
        line = spec["content"]["envelope"]["signatures"][0]
        found = [spec["content"]["payloadHash"]["value"], line["sig"], line["publicKey"]]
    else:
        line = spec["signatures"][0]
        found = [spec["payloadHash"]["value"], line["signature"], line["verifier"]]
    return [*found[:2], "".join(base64.b64decode(found[2]).decode().split())]


def _make_list(world: World, random: Random) -> bytes:
    """A revocation list with a change, signed by its issuer."""
    donors = (world.material["crl"], world.material["delta"], world.material["revocable"])
    body, _ = _body(random.choice(donors[:2]))
    return signed_again(world, "issuer", Mutator(random, donors).several(body))


def _make_answer(world: World, random: Random) -> bytes:
    """An OCSP response with a change, signed by the issuer."""
    good = world.material[random.choice(("ocsp", "ocsp-good"))]
    inside = read_der(good) or []
    basic = inside[0].inside[1].inside[0].inside[1].inside[0]  # type: ignore[index]  # made in the world
    body = write_der(basic.inside[:1])  # type: ignore[index]  # as above
    changed = Mutator(random, (good,)).several(body)
    again = signed_again(world, "issuer", changed)
    wrapped = der.sequence(der.oid("1.3.6.1.5.5.7.48.1.1"), der.octets(again))
    return der.sequence(der.tagged(0x0A, b"\x00"), der.context(0, wrapped))


def _judge_revocation(world: World, case: bytes) -> str:
    """Every reader takes it or says that it proves nothing."""
    issuer = load(world.material["issuer"])
    outcome = "unusable"
    for name in ("revocable", "revocable-delta"):
        certificate = load(world.material[name])
        base = lists.read_list(world.material["crl-base"], certificate, issuer, AT)
        for number in range(3):
            try:
                if number == 0:
                    found = lists.read_list(case, certificate, issuer, AT)
                    lists.delta_urls(certificate, found)
                    lists.find_entry(found, certificate)
                elif number == 1:
                    lists.find_entry(lists.read_delta(case, certificate, issuer, AT, base), certificate)
                else:
                    responses.read_response(case, certificate, issuer, AT)
            except Unusable:
                continue
            outcome = "accepted"
    return outcome


TARGETS: Final = (
    Target("forged-statement", _make_statement, _judge_statement, 60),
    Target("forged-certificate", _make_certificate, _judge_certificate, 60),
    Target("forged-notary-chain", _make_chain, _judge_certificate, 40),
    Target("forged-notary-stranger", _make_lonely, judge, 30),
    Target("forged-notary-header", _make_header, _judge_notary, 40),
    Target("forged-time-stamp", _make_token, _judge_token, 40),
    Target("forged-log-entry", _make_entry, _judge_entry, 50),
    Target("forged-revocation-list", _make_list, _judge_revocation, 30),
    Target("forged-ocsp", _make_answer, _judge_revocation, 30),
)
"""Everything that somebody signs, odd and signed."""
