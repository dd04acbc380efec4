"""Cases of the parsers of foreign bytes in ``formats``, ``trust`` and ``predicates``, from bytes that they read well.

The oracle: nothing is raised but what the parser documents, and what is read is read again as the same from what its
writer makes of it.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.content import MANIFEST_TYPES, OCI_MANIFEST, Manifest, describe, parse_config, parse_descriptor
from imgtrust.content import parse_manifest as read_manifest
from imgtrust.errors import ContentMalformed, InputFileError, InvalidDigest, InvalidReference, Refused
from imgtrust.formats import cbor, read
from imgtrust.formats.attachments import attached_to, candidates, claim_of, is_attachment_tag, legacy_attachment
from imgtrust.formats.bundle import write_bundle
from imgtrust.formats.certificates import from_pem, pem_block
from imgtrust.formats.dsse import read_envelope, write_envelope
from imgtrust.formats.logentries import BUNDLE_ANNOTATION, read_entries, read_legacy_entry, write_entry
from imgtrust.formats.mediatypes import BUNDLE_TYPE, SIMPLESIGNING_LAYER
from imgtrust.formats.members import Members, decode_base64, read_object
from imgtrust.formats.notaryjws import write as write_jws
from imgtrust.formats.simplesigning import REFERENCE_ANNOTATION, signature_annotations, write_payload
from imgtrust.formats.statement import parse_statement, write_statement
from imgtrust.predicates.provenance import builder_id, claimed_times
from imgtrust.predicates.sbom import recognise, recognise_predicate
from imgtrust.predicates.summary import read_summary, write_summary
from imgtrust.reference import Digest, Reference
from imgtrust.refusals import RefusalCode
from imgtrust.trust.der import DerError, Reader
from tests.fuzz.jsontext import Pairs, read_json
from tests.fuzz.mutators import Mutator
from tests.fuzz.target import FalseAcceptError, Target
from tests.simulators import evidence as keyed
from tests.simulators import notaryenvelopes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from tests.fuzz.world import World

__all__ = ["TARGETS", "of_bytes", "require", "same", "statements"]


def of_bytes(
    name: str,
    seeds: Callable[[World], Sequence[bytes]],
    check: Callable[[World, bytes], None],
    errors: tuple[type[Exception], ...],
    share: int,
    words: Sequence[bytes] = (),
) -> Target:
    """A target whose cases are bytes: one of the seeds with a change or a few, now and then anything at all.

    ``check`` reads a case, and may raise ``errors``; ``words`` are put in where a word stands.
    """

    def make(world: World, random: Random) -> bytes:
        good = seeds(world)
        if random.random() < 0.02:
            return random.randbytes(random.randrange(300))
        return Mutator(random, good, words).several(random.choice(good))

    def judge(world: World, case: bytes) -> str:
        try:
            check(world, case)
        except errors as exc:
            return str(exc.code) if isinstance(exc, Refused) else type(exc).__name__
        return "accepted"

    return Target(name, make, judge, share)


def same(found: object, expected: object, what: str) -> None:
    """Both are the same.

    Raises:
        FalseAcceptError: they are not.
    """
    if found != expected:
        message = f"{what}: {str(found)[:500]} is not {str(expected)[:500]}"
        raise FalseAcceptError(message)


def require(holds: object, what: str) -> None:
    """Something holds.

    Raises:
        FalseAcceptError: it does not.
    """
    if not holds:
        raise FalseAcceptError(what)


def payloads(world: World, *prefixes: str) -> tuple[bytes, ...]:
    """The bytes of pieces."""
    return tuple(piece.evidence.payload for name, piece in world.pieces.items() if name.startswith(prefixes))


# --- strict JSON, CBOR, DER, base64 ----------------------------------------------------------------------------------


def _json(_: World, data: bytes) -> None:
    value = strict_json.loads(data)
    same(json.loads(data), value, "another parser reads something else")
    waiting = [read_json(data)]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Pairs):
            require(len({key for key, _ in found}) == len(found), "a key is there twice, and parsers choose")
            waiting += [item for _, item in found]
        elif isinstance(found, list):
            waiting += found
    same(strict_json.loads(strict_json.dumps(value)), value, "written and read again")


def _cbor(_: World, data: bytes) -> None:
    def written(value: object) -> Any:
        match value:
            case cbor.Tag():
                return notaryenvelopes.Tagged(value.number, written(value.value))
            case list():
                return [written(each) for each in value]
            case dict():
                return {key: written(item) for key, item in value.items()}
            case _:
                return value

    same(notaryenvelopes.cbor(written(cbor.loads(data))), data, "not the one encoding of its value")


def _der(_: World, data: bytes) -> None:
    waiting = [data]
    while waiting:
        reader, here = Reader(waiting[-1]), waiting.pop()
        whole = b""
        while reader.more:
            value = reader.next()
            whole += value.raw
            for use in (value.integer, value.time):
                with contextlib.suppress(DerError):
                    use()
            if value.tag & 0x20:
                waiting.append(value.content)
        same(whole, here, "not all bytes are in a value")


def _base64(_: World, data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    found = decode_base64(text)
    if found is not None:
        same(base64.b64encode(found).decode(), text, "not the one spelling")


# --- formats ----------------------------------------------------------------------------------------------------------


def _bundle(_: World, data: bytes) -> None:
    found = read(keyed.evidence(data))
    hint, chain = found.key_hint, found.certificates
    proven = all(entry.proof is not None and entry.proof.checkpoint is not None for entry in found.log_entries)
    if not proven or len(chain) > 1 or (hint is None) == (not chain) or found.digest_algorithm != "sha256":
        return  # What is written is of version 0.3 alone.
    again = write_bundle(
        signature=found.signature,
        key_hint=hint,
        certificate=chain[0] if chain else None,
        statement=found.payload,
        message_digest=None if found.message_digest is None else bytes.fromhex(found.message_digest),
        timestamps=found.timestamps,
        log_entries=found.log_entries,
    )
    same(read(keyed.evidence(again)), found, "written and read again")


def _dsse(_: World, data: bytes) -> None:
    code = RefusalCode.DSSE_MALFORMED
    found = read_envelope(read_object(data, "envelope", code), count_code=code)
    again = write_envelope(found.payload, found.signature)
    same(read_envelope(read_object(again, "envelope", code), count_code=code), found, "written and read again")


def _statement(_: World, data: bytes) -> None:
    found = parse_statement(data)
    builder_id(found)
    for _name, moment in claimed_times(found):
        require(moment.tzinfo is not None, "a time without a zone")
    recognise_predicate(found.predicate)
    summary = read_summary(found.predicate)
    if summary is not None:
        again = read_summary(write_summary(summary))
        same(again, replace(summary, verified_at=summary.verified_at.replace(microsecond=0)), "written and read again")
    if len(found.subjects) == 1:
        subject, notes = Digest("sha256", found.subjects[0]), dict(found.annotations)
        made = write_statement(subject, found.predicate_type, found.predicate, annotations=notes)
        same(parse_statement(made), found, "written and read again")


def _simplesigning(_: World, data: bytes) -> None:
    found = read(keyed.evidence(data, SIMPLESIGNING_LAYER, signature_annotations(b"a signature")))
    notes = dict(found.annotations)
    name = notes.pop(REFERENCE_ANNOTATION, "")
    length = {64: "sha256", 128: "sha512"}[len(found.subjects[0])]
    made = write_payload(name, Digest(length, found.subjects[0]), notes)
    again = read(keyed.evidence(made, SIMPLESIGNING_LAYER, signature_annotations(b"a signature")))
    same((again.subjects, again.annotations), (found.subjects, found.annotations), "written and read again")


def _jws(_: World, data: bytes) -> None:
    found = read(keyed.evidence(data, notaryenvelopes.JWS))
    token = Reader(found.timestamps[0]).next().content[5:] if found.timestamps else None
    again = write_jws(found.message or b"", found.signature, found.certificates, token, "fuzz")
    same(read(keyed.evidence(again, notaryenvelopes.JWS)), found, "written and read again")


def _cose(_: World, data: bytes) -> None:
    read(keyed.evidence(data, notaryenvelopes.COSE))


def _entries(_: World, data: bytes) -> None:
    for version in (1, 2, 3):
        found = read_entries(read_object(data, "material", RefusalCode.LOG_MALFORMED), version)
        if version == 1:
            continue
        written = {"tlogEntries": [write_entry(each) for each in found]}
        again = read_entries(Members(written, "material", RefusalCode.LOG_MALFORMED), version)
        same(again, found, "written and read again")


def _legacy_entry(_: World, data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    read_legacy_entry(keyed.evidence(b"", SIMPLESIGNING_LAYER, {BUNDLE_ANNOTATION: text}))


def _pem(_: World, data: bytes) -> None:
    text = data.decode("ascii", "replace")
    alone = pem_block(text, "CERTIFICATE")
    found = from_pem(text, "certificate")
    if len(found) == 1:
        same(alone, found[0], "another block")


# --- manifests and names ----------------------------------------------------------------------------------------------


def _manifest(_: World, data: bytes) -> None:
    with contextlib.suppress(ContentMalformed):
        parse_config(data)
    found = None
    for media_type in sorted(MANIFEST_TYPES):
        try:
            found = read_manifest(data, media_type)
        except ContentMalformed as exc:
            refusal = exc
    if found is None:
        raise refusal
    claim_of(found)
    for legacy in (False, True):
        with contextlib.suppress(Refused):
            candidates(found, legacy=legacy)
    for descriptor in (*found.layers, found.config) if isinstance(found, Manifest) else found.manifests:
        again = parse_descriptor(descriptor.to_json(), "again")
        same(again.digest, descriptor.digest, "written and read again")
    if isinstance(found, Manifest) and len(found.layers) < 10:
        made = legacy_attachment(found, describe(b"x", SIMPLESIGNING_LAYER), b"x")
        layers = getattr(read_manifest(made.manifest, OCI_MANIFEST), "layers", ())
        same(layers[: len(found.layers)], found.layers, "a layer is lost")


def _reference(_: World, data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    is_attachment_tag(text)
    attached_to(text)
    for bare in (True, False):
        found = Reference.parse(text, bare=bare)
        same(str(found), text, "another name")
        same(Reference.parse(str(found), bare=bare), found, "written and read again")


def _digest(_: World, data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    same(str(Digest.parse(text)), text, "another digest")


# --- what was said ----------------------------------------------------------------------------------------------------


def _sbom(_: World, data: bytes) -> None:
    found = recognise(data)
    same(recognise_predicate(strict_json.loads(data)), found, "a file and a predicate are two things")


# --- good ones --------------------------------------------------------------------------------------------------------


def _dumped(*documents: Any) -> tuple[bytes, ...]:
    return tuple(json.dumps(each).encode() for each in documents)


@functools.cache
def _texts() -> tuple[bytes, ...]:
    numbers: dict[str, Any] = {"a": [1, -2.5, 1e10, True, None, '\u00e9\\"\ud83d\ude00'], "b": {"c": {}}, "": [[[]]]}
    return (*_dumped(numbers, [], "x", 12345678901234567890), b' { "a" : 1e-5 , "b\\u0041" : "\\ud83d\\ude00" } ')


def _coded(world: World) -> tuple[bytes, ...]:
    values = {1: -7, 2: ["a"], "b": b"bytes", -1: [True, None, 1 << 40], "d": {"e": notaryenvelopes.Tagged(1, 5)}}
    return (notaryenvelopes.cbor(values), *payloads(world, "notary-cose"))


def _ders(world: World) -> tuple[bytes, ...]:
    return tuple(data for data in world.material.values() if data[:1] == b"0")


def _envelopes(world: World) -> tuple[bytes, ...]:
    return payloads(world, "legacy-key-att", "legacy-keyless-att")


_CREATED: Final = {
    "https://slsa.dev/provenance/v0.2": {
        "builder": {"id": "https://builder.test"},
        "metadata": {"buildStartedOn": "2026-01-01T00:00:00Z", "buildFinishedOn": "2026-01-01T00:10:00+02:00"},
    },
    "https://slsa.dev/provenance/v1": {
        "runDetails": {"builder": {"id": "b"}, "metadata": {"startedOn": "2026-01-01T00:00:00.123456789Z"}}
    },
    "https://cosign.sigstore.dev/attestation/vuln/v1": {"metadata": {"scanStartedOn": "1980-01-01T00:00:00Z"}},
    "https://openvex.dev/ns/v0.2.0": {"timestamp": "0001-01-01T00:00:00Z", "statements": []},
    "https://spdx.dev/Document": {
        "SPDXID": "SPDXRef-DOCUMENT",
        "spdxVersion": "SPDX-2.3",
        "name": "app",
        "packages": [{}, {}],
        "creationInfo": {"created": "9999-12-31T23:59:59-12:00"},
    },
    "https://cyclonedx.org/bom": {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [{"name": "a"}],
        "metadata": {"timestamp": "2026-01-01T00:00:00+14:00", "component": {"name": "app"}},
    },
    "https://slsa.dev/verification_summary/v1": {
        "verifier": {"id": "x", "version": {"imgtrust": "1"}},
        "timeVerified": "2026-01-01T00:00:00Z",
        "resourceUri": "registry.test/app@sha256:00",
        "policy": {"uri": "gate.toml", "digest": {"sha256": "0" * 64}},
        "inputAttestations": [{"uri": "a", "digest": {"sha256": "1" * 64}}],
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_UNEVALUATED"],
        "slsaVersion": "1.0",
        "imgtrust_source": "a",
        "imgtrust_platforms": ["linux/amd64"],
        "imgtrust_tags": ["1"],
    },
}
"""A predicate of each type that something is read from."""


@functools.cache
def statements() -> tuple[bytes, ...]:
    one = {"name": "app", "digest": {"sha256": keyed.IMAGE.encoded, "gitCommit": "ab"}, "annotations": {"a": "b"}}
    return (
        *(keyed.statement(predicate_type=kind, predicate=each) for kind, each in _CREATED.items()),
        keyed.statement(subject=[one]),
        keyed.statement(subject=[one, {"digest": {"sha512": "0" * 128}}], _type="https://in-toto.io/Statement/v0.1"),
    )


@functools.cache
def _sboms() -> tuple[bytes, ...]:
    return (
        *_dumped(*(each for kind, each in _CREATED.items() if "spdx" in kind or "cyclonedx" in kind)),
        b"SPDXVersion:",
    )


def _logged(world: World) -> tuple[bytes, ...]:
    names = ("key-rekor", "keyless-v0")
    documents = [strict_json.loads(data)["verificationMaterial"] for data in payloads(world, *names)]
    return _dumped(*({"tlogEntries": each["tlogEntries"]} for each in documents))


def _annotated(name: str) -> Callable[[World], tuple[bytes, ...]]:
    def seeds(world: World) -> tuple[bytes, ...]:
        texts = (piece.evidence.layer.annotation(name) for piece in world.pieces.values())
        return tuple(text.encode() for text in texts if text)

    return seeds


@functools.cache
def _manifests() -> tuple[bytes, ...]:
    def descriptor(media_type: str, **more: object) -> dict[str, object]:
        return {"mediaType": media_type, "digest": str(keyed.IMAGE), "size": 7, **more}

    oci, docker = "application/vnd.oci.image.", "application/vnd.docker."
    config = descriptor(f"{oci}config.v1+json")
    empty = descriptor("application/vnd.oci.empty.v1+json")
    layer = descriptor(f"{oci}layer.v1.tar+gzip", annotations={"a": "b"})
    subject = descriptor(f"{oci}manifest.v1+json")
    platform = {"os": "linux", "architecture": "arm64", "variant": "v8"}
    signature = descriptor(SIMPLESIGNING_LAYER, annotations={"dev.cosignproject.cosign/signature": "AAAA"})
    bundle = {"config": empty, "layers": [descriptor(BUNDLE_TYPE)], "subject": subject, "artifactType": BUNDLE_TYPE}
    notary = {"config": empty, "layers": [descriptor(notaryenvelopes.JWS)], "subject": subject}
    listed = [descriptor(f"{oci}manifest.v1+json", platform=platform), subject]
    kinds: dict[str, list[dict[str, Any]]] = {
        f"{oci}manifest.v1+json": [
            {"config": config, "layers": [layer, layer], "annotations": {"c": "d"}},
            {"config": config, "layers": [signature, signature]},
            bundle,
            {**notary, "artifactType": "application/vnd.cncf.notary.signature"},
            {"config": empty, "layers": [descriptor("text/spdx+json")], "subject": subject},
        ],
        f"{oci}index.v1+json": [{"manifests": listed, "subject": subject, "artifactType": "a/b"}],
        f"{docker}distribution.manifest.v2+json": [{"config": config, "layers": [layer]}],
        f"{docker}distribution.manifest.list.v2+json": [{"manifests": listed}],
    }
    images = ({"os": "linux", "architecture": "amd64", "created": "2026-01-01T00:00:00Z", "config": {"User": "1"}},)
    made = [{"schemaVersion": 2, "mediaType": kind, **each} for kind, found in kinds.items() for each in found]
    return _dumped(*made, *images)


_NAMES: Final = (
    b"registry.example.com:5000/team/app:1.4.2@sha256:" + b"a" * 64,
    b"localhost/a:b",
    b"[::1]:5000/a/b__c-d.e:tag",
    b"oci:some/dir:latest",
    b"sha256-" + b"0" * 64 + b".sig",
    b"127.0.0.1:5000/app@sha512:" + b"0" * 128,
)
_DIGESTS: Final = (b"sha256:" + b"0" * 64, b"sha512:" + b"f" * 128)
_WORDS: Final = (b"latest", b"sha256", b":", b"@", b"oci:", b"..", b"A", b"\xc3\xa9", b"localhost", b"a" * 300)


def _stored(names: tuple[bytes, ...]) -> Callable[[World], tuple[bytes, ...]]:
    return lambda _: names


def _keyless(world: World) -> tuple[bytes, ...]:
    return payloads(world, "key-", "keyless-")


TARGETS: Final = (
    of_bytes("json", lambda _: _texts() + statements(), _json, (strict_json.StrictJsonError,), 40),
    of_bytes("cbor", _coded, _cbor, (cbor.CborError,), 30),
    of_bytes("der", _ders, _der, (DerError,), 30),
    of_bytes("base64", lambda _: (b"AAAA", b"AAA=", b"AA==", b"/+9/"), _base64, (), 20, (b"=", b"_", b"AB==")),
    of_bytes("bundle", _keyless, _bundle, (Refused,), 50),
    of_bytes("dsse", _envelopes, _dsse, (Refused,), 20),
    of_bytes("statement", lambda _: statements(), _statement, (Refused,), 50),
    of_bytes("simplesigning", lambda world: payloads(world, "legacy-key-sig"), _simplesigning, (Refused,), 20),
    of_bytes("notary-jws", lambda world: payloads(world, "notary-jws"), _jws, (Refused,), 30),
    of_bytes("notary-cose", lambda world: payloads(world, "notary-cose"), _cose, (Refused,), 30),
    of_bytes("log-entries", _logged, _entries, (Refused,), 30),
    of_bytes("log-entry-annotation", _annotated(BUNDLE_ANNOTATION), _legacy_entry, (Refused,), 10),
    of_bytes("certificate-pem", _annotated("dev.sigstore.cosign/chain"), _pem, (Refused,), 15),
    of_bytes("manifest", lambda _: _manifests(), _manifest, (ContentMalformed,), 30),
    of_bytes("reference", _stored(_NAMES), _reference, (InvalidReference, InvalidDigest), 30, _WORDS),
    of_bytes("digest", _stored(_DIGESTS), _digest, (InvalidDigest,), 10, _WORDS),
    of_bytes("sbom", lambda _: _sboms(), _sbom, (InputFileError,), 15),
)
"""Parsers of ``formats``, ``predicates``, ``content`` and ``reference``."""
