"""No change to keyless evidence makes belief raise, and none makes a signature of anything but what was signed.

The judgement is ``keyless.verify`` and the parsers alone: a second opinion could hide what they let pass.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from imgtrust import strict_json
from imgtrust.content import Descriptor
from imgtrust.errors import InputFileError, Refused
from imgtrust.formats import read
from imgtrust.formats.mediatypes import BUNDLE_TYPE
from imgtrust.formats.members import read_object
from imgtrust.refusals import RefusalCode
from imgtrust.trust import keyless
from imgtrust.trust.keys import TrustedKey
from imgtrust.trust.roots import parse_sigstore_root
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from imgtrust.trust.transparency.checkpoint import parse_checkpoint
from imgtrust.trust.transparency.expected import Expected
from imgtrust.trust.transparency.kinds import KINDS
from tests.property.test_formats import JSON
from tests.simulators.evidence import AT, MANIFEST, Key
from tests.simulators.fulcio import EMAIL, ISSUER
from tests.simulators.logbodies import KINDS as BODIES
from tests.simulators.sigstore import Signer, VirtualSigstore, document_of

if TYPE_CHECKING:
    from imgtrust.evidence import Evidence, Signed

SIGSTORE: Final = VirtualSigstore()
KEYED: Final = Signer(Key.new())
ROOT: Final = replace(SIGSTORE.trusting(), keys=(TrustedKey("key", KEYED.key.public),), logs=SIGSTORE.root().logs)
WITH_CERTIFICATE: Final = (
    *(SIGSTORE.evidence(kind=kind) for kind in BODIES if kind != ("intoto", "0.0.1")),
    SIGSTORE.evidence(kind=("hashedrekord", "0.0.1"), message=MANIFEST),
    SIGSTORE.evidence(kind=("hashedrekord", "0.0.2"), message=MANIFEST),
    SIGSTORE.evidence(stamped=1),
    *(SIGSTORE.layer(attestation=attestation) for attestation in (True, False)),
)
WITH_KEY: Final = (SIGSTORE.evidence(KEYED), SIGSTORE.evidence(KEYED, ("hashedrekord", "0.0.2")))

BUNDLES: Final = [each for each in (*WITH_CERTIFICATE, *WITH_KEY) if each.layer.media_type == BUNDLE_TYPE]


def proven(candidate: Evidence) -> tuple[str, tuple[Any, ...]] | None:
    """Who signed and when, by our own judgement alone; None where it refuses."""
    try:
        signed = read(candidate)
        if not signed.certificates:
            found = assess(candidate, ROOT, at=AT)
            return None if isinstance(found, Refusal) else (found.identity, found.times)
        believed = keyless.verify(signed, candidate, ROOT, at=AT)
    except Refused:
        return None
    return (believed.identity, believed.times) if candidate.subject.encoded in signed.subjects else None


def same(first: Signed, second: Signed) -> bool:
    """Whether two readings are of one signature over one thing."""
    return (first.message, first.subjects, first.signature) == (second.message, second.subjects, second.signature)


def check(original: Evidence, altered: Evidence) -> None:
    """What is still believed is the same signature of the same signer; the same proofs, or fewer."""
    found, expected = proven(altered), proven(original)
    assert expected is not None
    if found is not None:
        assert found[0] == expected[0]
        assert set(found[1]) <= set(expected[1])
        assert same(read(original), read(altered)), "believed with another signature or another message"


@settings(max_examples=400, deadline=None)
@given(st.sampled_from((*WITH_CERTIFICATE, *WITH_KEY)), st.data())
def test_one_altered_byte_of_the_payload_proves_nothing_new(original: Evidence, data: st.DataObject) -> None:
    payload = bytearray(original.payload)
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    check(original, replace(original, payload=bytes(payload)))


def leaves(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value that is no object and no list, and of every object and list."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, each in inside for found in leaves(each, (*path, name)))]


def put(document: Any, path: tuple[Any, ...], value: object) -> Any:
    """The document with one value replaced; the whole of it for an empty path."""
    if not path:
        return value
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = value
    return document


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(BUNDLES),
    st.data(),
)
def test_any_member_of_a_bundle_may_be_anything(original: Evidence, data: st.DataObject) -> None:
    document = json.loads(original.payload)
    path = data.draw(st.sampled_from(leaves(document)))
    whole = put(document, path, data.draw(JSON))
    check(original, document_of(whole if not path else document))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(BUNDLES),
    st.data(),
)
def test_one_altered_byte_inside_the_base64_of_a_bundle_proves_nothing_new(
    original: Evidence, data: st.DataObject
) -> None:
    document = json.loads(original.payload)
    paths = []
    for path in leaves(document):
        value = document
        for step in path:
            value = value[step]
        if isinstance(value, str) and len(value) > 40 and path[-1] not in {"envelope", "mediaType", "payloadType"}:
            paths.append((path, base64.b64decode(value)))
    path, content = data.draw(st.sampled_from(paths))
    altered = bytearray(content)
    altered[data.draw(st.integers(0, len(altered) - 1))] ^= data.draw(st.integers(1, 255))
    put(document, path, base64.b64encode(altered).decode())
    check(original, document_of(document))


LAYERS: Final = tuple(each for each in WITH_CERTIFICATE if each.layer.media_type != BUNDLE_TYPE)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(LAYERS), st.data())
def test_one_altered_character_of_an_annotation_proves_nothing_new(original: Evidence, data: st.DataObject) -> None:
    annotations = dict(original.layer.annotations)
    name = data.draw(st.sampled_from([name for name, value in annotations.items() if value]))
    text = annotations[name]
    at = data.draw(st.integers(0, len(text) - 1))
    annotations[name] = text[:at] + data.draw(st.characters()) + text[at + 1 :]
    layer = original.layer
    changed = Descriptor(layer.media_type, layer.digest, layer.size, annotations=tuple(annotations.items()))
    check(original, replace(original, layer=changed))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_a_checkpoint_or_refused(text: str) -> None:
    try:
        parse_checkpoint(text)
    except Refused as exc:
        found = exc.code
    else:
        found = RefusalCode.LOG_CHECKPOINT
    assert found is RefusalCode.LOG_CHECKPOINT


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(KINDS)), JSON)
def test_any_entry_is_about_the_signature_or_refused(kind: tuple[str, str], spec: object) -> None:
    signed = read(WITH_KEY[0])
    members = read_object(strict_json.dumps({"spec": spec}), "entry", RefusalCode.LOG_MALFORMED)
    try:
        inner = members.child("spec")
        if inner is not None:
            KINDS[kind].check(inner, Expected(signed, KEYED.key.public))
            raise AssertionError(spec)
    except Refused:
        return


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_an_altered_certificate_names_nobody_else(data: st.DataObject) -> None:
    """The certificate is replaced whole by an altered one, so that not only its signature can tell."""
    document = json.loads(WITH_CERTIFICATE[0].payload)
    der = bytearray(base64.b64decode(document["verificationMaterial"]["certificate"]["rawBytes"]))
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    document["verificationMaterial"]["certificate"]["rawBytes"] = base64.b64encode(der).decode()
    check(WITH_CERTIFICATE[0], document_of(document))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(leaves(SIGSTORE.document())), JSON)
def test_any_member_of_a_trusted_root_may_be_anything(path: tuple[Any, ...], value: object) -> None:
    document = json.loads(strict_json.dumps(SIGSTORE.document()))
    whole = put(document, path, value)
    try:
        parse_sigstore_root(strict_json.dumps(whole if not path else document), "acme")
    except InputFileError as exc:
        said = str(exc)
    else:
        said = "acme"
    assert "acme" in said


def test_the_evidence_that_is_altered_is_believed() -> None:
    for candidate in (*WITH_CERTIFICATE, *WITH_KEY):
        found = proven(candidate)
        assert found is not None
        assert found[0] in {f"{EMAIL} ({ISSUER})", f"key sha256:{KEYED.key.public.fingerprint}"}
    assert isinstance(assess(WITH_CERTIFICATE[0], ROOT, at=AT), VerifiedSignature)
