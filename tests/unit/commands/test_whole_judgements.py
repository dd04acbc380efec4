"""Whole judgements over evidence of every kind: crowds of it, another time of judgement, messages of any digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from imgtrust import strict_json
from imgtrust.commands.judge import judge_reference
from imgtrust.formats.mediatypes import BUNDLE_TYPE, NOTARY_ARTIFACT
from imgtrust.policy.verdict import Outcome
from imgtrust.reference import Reference
from imgtrust.reports.document import entry
from imgtrust.reports.text import Style, render_verdict
from imgtrust.rules.requirements import PublishRule
from imgtrust.signers.local import LocalSigner
from imgtrust.stores.discovery import MAX_LISTED, MAX_OPENED
from imgtrust.trust.anchors import TrustedNotary
from imgtrust.trust.times import TimeSource
from tests.simulators.attached import NOTARY_ROOT, attach_keyless
from tests.simulators.evidence import Key, bundle, statement
from tests.simulators.fulcio import WHEN
from tests.simulators.gate import NOON, Publisher, judged_by
from tests.simulators.images import artifact, image, push
from tests.simulators.memory import MemoryStore
from tests.simulators.notaryenvelopes import JWS, SIGNED, header, jws, payload
from tests.simulators.pki import leaf
from tests.simulators.sigstore import V2, Signer, VirtualSigstore

if TYPE_CHECKING:
    from imgtrust.commands.loading import Judgement
    from imgtrust.content import Descriptor
    from imgtrust.policy.verdict import Verdict

KEY: Final = Key.new()
RELEASE: Final = Publisher("release", LocalSigner(KEY.private))
SIGSTORE: Final = VirtualSigstore()
ANY: Final = (TimeSource.RFC3161, TimeSource.REKOR, TimeSource.SIGNING_AUTHORITY)
LEAF: Final = leaf(NOTARY_ROOT)
SECOND: Final = timedelta(seconds=1)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def attach(store: MemoryStore, subject: Descriptor, content: bytes, kind: str = BUNDLE_TYPE) -> Descriptor:
    return push(store, artifact(subject, artifact_type=kind, layers=[(kind, content)]))


def verdict_of(store: MemoryStore, judgement: Judgement, at: datetime = NOON) -> Verdict:
    return judge_reference(store, Reference(store.repository, "1"), judgement, at=at)


# --- ten thousand signatures ------------------------------------------------------------------------------------------


def crowd(store: MemoryStore, mine: int | None) -> None:
    """As many signatures of a stranger as are listed, the one at ``mine`` by the signer that is asked for."""
    root = push(store, image("a"), "1")
    stranger = Key.new()
    content = bundle(stranger, statement(root.digest))
    for number in range(MAX_LISTED):
        one = artifact(
            root, artifact_type=BUNDLE_TYPE, layers=[(BUNDLE_TYPE, content)], annotations={"n": f"{number:05}"}
        )
        if number == mine:
            attach(store, root, bundle(KEY, statement(root.digest)))
        else:
            push(store, one)


def test_a_crowd_that_hides_the_signature_is_neither_yes_nor_no(store: MemoryStore) -> None:
    crowd(store, None)
    verdict = verdict_of(store, judged_by(RELEASE))
    assert verdict.outcome is Outcome.UNDECIDED
    left = f"{MAX_LISTED} are listed, {MAX_OPENED} of them were opened; {MAX_LISTED - MAX_OPENED} were not looked at"
    assert any(left in text for text in entry(verdict)["not_checked"])
    text = render_verdict(verdict, Style())
    assert left in " ".join(text.split())
    assert len(text.splitlines()) < 50


def test_what_was_opened_of_a_crowd_and_is_enough_is_accepted(store: MemoryStore) -> None:
    crowd(store, 0)
    verdict = verdict_of(store, judged_by(RELEASE))
    assert verdict.outcome is Outcome.ACCEPTED
    assert any("were not looked at" in text for text in verdict.not_checked)


# --- another time of judgement ----------------------------------------------------------------------------------------


def logged(store: MemoryStore, root: Descriptor) -> Judgement:
    """A signature by a key, with the promise of a log and no other time."""
    attach_keyless(store, root, SIGSTORE, Signer(KEY))
    return replace(dated(), trust=SIGSTORE.trusting_key(Signer(KEY)))


def stamped(store: MemoryStore, root: Descriptor) -> Judgement:
    """A signature by a key, with a time-stamp and no other time."""
    attach_keyless(store, root, SIGSTORE, Signer(KEY), kind=None, stamped=1)
    return replace(dated(), trust=SIGSTORE.trusting_key(Signer(KEY)))


def keyless_v1(store: MemoryStore, root: Descriptor) -> Judgement:
    """A keyless signature with the promise of a log."""
    attach_keyless(store, root, SIGSTORE)
    return replace(dated(), trust=SIGSTORE.trusting())


def keyless_v2(store: MemoryStore, root: Descriptor) -> Judgement:
    """A keyless signature in a log that promises no time, with a time-stamp."""
    attach_keyless(store, root, SIGSTORE, kind=V2)
    return replace(dated(), trust=SIGSTORE.trusting())


def authority(store: MemoryStore, root: Descriptor) -> Judgement:
    """A Notary signature whose signing authority vouches for the time."""
    about = payload(mediaType=root.media_type, digest=str(root.digest), size=root.size)
    protected = header(LEAF, "notary.x509.signingAuthority")
    envelope = jws((LEAF, NOTARY_ROOT), protected=protected, body=about)
    push(store, artifact(root, artifact_type=NOTARY_ARTIFACT, layers=[(JWS, envelope)]))
    signer = TrustedNotary("key", "signing-authority", (NOTARY_ROOT.der,), ((),), (), "skip")
    found = dated()
    return replace(found, trust=replace(found.trust, notary=(signer,)))


def dated() -> Judgement:
    """Whoever is called key or release has to have signed at a proven time."""
    judgement = judged_by(Publisher("key"), Publisher("release"), publish=PublishRule(ANY))
    return replace(judgement, trust=replace(judgement.trust, keys=(), authorities=()))


SOURCES: Final = {
    "a log and a key": (logged, WHEN, True),
    "a time-stamp and a key": (stamped, WHEN, True),
    "a log and a certificate": (keyless_v1, WHEN, False),
    "a time-stamp and a certificate": (keyless_v2, WHEN, False),
    "a signing authority": (authority, SIGNED, False),
}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_time_after_the_time_of_judgement_counts_for_nothing(store: MemoryStore, name: str) -> None:
    make, when, stays = SOURCES[name]
    judgement = make(store, push(store, image("a"), "1"))
    then = verdict_of(store, judgement, when)
    assert (then.outcome, then.published.earliest) == (Outcome.ACCEPTED, when)
    before = verdict_of(store, judgement, when - SECOND)
    assert (before.outcome, before.published.earliest, before.published.source) == (Outcome.REJECTED, None, "none")
    codes = {item["code"] for item in entry(before)["refused"]}
    assert codes == ({"time.future"} if stays or name == "a signing authority" else {"certificate.no_trusted_time"})
    assert "time.future" in str(entry(before)["refused"])
    assert bool(before.facts and before.facts.root.signatures) is stays


def test_the_time_of_judgement_stands_in_every_report(store: MemoryStore) -> None:
    stamped(store, push(store, image("a"), "1"))
    at = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    verdict = verdict_of(store, dated(), at)
    assert "judged 2026-02-03 04:05:06" in render_verdict(verdict, Style())
    assert verdict.judged_at == at


# --- signatures over a message ----------------------------------------------------------------------------------------


def signer_of(kind: str) -> Key:
    match kind:
        case "p384":
            return Key(ec.generate_private_key(ec.SECP384R1()))
        case "p521":
            return Key(ec.generate_private_key(ec.SECP521R1()))
        case _:
            return Key(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.mark.parametrize(
    ("kind", "algorithm"), [("p384", "sha384"), ("p521", "sha512"), ("rsa", "sha384"), ("rsa", "sha512")]
)
@pytest.mark.parametrize("certified", [False, True], ids=["by a key", "by a certificate"])
def test_a_message_with_a_long_digest_is_the_manifest_of_the_image_and_no_other(
    kind: str, algorithm: str, *, certified: bool
) -> None:
    key = signer_of(kind)
    signer = SIGSTORE.certify(key) if certified else Signer(key)
    trust = SIGSTORE.trusting() if certified else SIGSTORE.trusting_key(signer)
    judgement = replace(judged_by(Publisher("key"), Publisher("release")), trust=trust)
    shape: dict[str, Any] = {"kind": ("hashedrekord", "0.0.1"), "algorithm": algorithm}
    mine, other = image("a"), image("another")
    for message, outcome in ((mine.manifest, Outcome.ACCEPTED), (other.manifest, Outcome.REJECTED)):
        store = MemoryStore()
        root = push(store, mine, "1")
        attach(store, root, strict_json.dumps(SIGSTORE.bundle(signer, message=message, **shape)))
        verdict = verdict_of(store, judgement)
        assert verdict.outcome is outcome, verdict
        codes = [item.code for item in verdict.facts.root.refusals] if verdict.facts else []
        assert codes == ([] if outcome is Outcome.ACCEPTED else ["bundle.message_digest"])


def test_a_message_whose_named_digest_is_right_and_whose_signature_is_over_another_is_refused(
    store: MemoryStore,
) -> None:
    key = signer_of("p384")
    mine = image("a")
    root = push(store, mine, "1")
    document = SIGSTORE.bundle(Signer(key), None, message=mine.manifest, algorithm="sha384", stamped=0)
    other = SIGSTORE.bundle(Signer(key), None, message=b"other", algorithm="sha384", stamped=0)
    document["messageSignature"]["signature"] = other["messageSignature"]["signature"]
    attach(store, root, strict_json.dumps(document))
    trust = SIGSTORE.trusting_key(Signer(key))
    verdict = verdict_of(store, replace(judged_by(Publisher("key")), trust=trust))
    assert verdict.outcome is Outcome.REJECTED
    assert [item["code"] for item in entry(verdict)["refused"]] == ["bundle.bad_signature"]
