"""Cases of ``assess``: good evidence with changes, parts of two pieces together, and answers about revocation changed.

The oracle: belief never raises, and it believes nothing but what an unchanged piece says under the same root. What may
differ is listed at ``says_no_more``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from imgtrust.formats.mediatypes import BUNDLE_TYPE, DSSE_LAYER, SIMPLESIGNING_LAYER
from imgtrust.reference import Digest
from imgtrust.trust.notary.answers import Answer, Revocations
from imgtrust.trust.notary.judgement import questions
from imgtrust.trust.signatures import Refusal, VerifiedSignature, assess
from tests.fuzz.cbortree import read_cbor, write_cbor
from tests.fuzz.jsontext import Pairs, read_json, write_json
from tests.fuzz.mutators import Mutator
from tests.fuzz.target import FalseAcceptError, Target
from tests.fuzz.world import AT, MANIFEST, OTHER, OTHER_MANIFEST
from tests.simulators.evidence import IMAGE
from tests.simulators.notaryenvelopes import COSE, JWS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from imgtrust.evidence import Evidence
    from tests.fuzz.world import World

__all__ = ["TARGETS", "Judged", "judge", "says_no_more"]

_LAYERS: Final = (BUNDLE_TYPE, f"{BUNDLE_TYPE}x", SIMPLESIGNING_LAYER, DSSE_LAYER, JWS, COSE, "", "text/plain")
_SUBJECTS: Final = (IMAGE, OTHER, Digest.of(b"nothing"), Digest.of(MANIFEST, "sha512"), Digest.of(b"", "sha512"))
_CONTENTS: Final = (None, MANIFEST, OTHER_MANIFEST, b"", b"[]", MANIFEST + b" ", b'{"mediaType":3}')


@dataclass(frozen=True)
class Judged:
    """A case: what is judged under which root, and the pieces of which it may say what they say."""

    evidence: Evidence
    root: str
    revocations: Revocations
    allowed: tuple[str, ...]


def judge(world: World, case: Judged) -> str:
    """The refusal code, or ``accepted``.

    Raises:
        FalseAcceptError: something is believed that no piece says.
    """
    root = world.roots[case.root]
    found = assess(case.evidence, root, at=AT, revocations=case.revocations)
    questions(case.evidence, root, at=AT, revocations=case.revocations)
    if isinstance(found, Refusal):
        if not found.reason or found.subject != case.evidence.subject:
            message = f"a refusal without a reason, or of another subject: {found}"
            raise FalseAcceptError(message)
        return str(found.code)
    for name in case.allowed:
        said = world.believed(name, case.root)
        if isinstance(said, VerifiedSignature) and says_no_more(found, said, case.evidence):
            return "accepted"
    message = f"believed under {case.root}: {found}"
    raise FalseAcceptError(message)


def says_no_more(found: VerifiedSignature, said: VerifiedSignature, evidence: Evidence) -> bool:
    """Whether a belief is what an unchanged piece says: the same image, signer, statement and signed annotations.

    May differ: proven times that are gone, names of the signer that are gone with them, an end of the belief that comes
    sooner, and what proves nothing: claims, the second opinion's words, and what was not checked.
    """
    same = replace(
        found,
        subject=said.subject,
        signers=said.signers,
        evidence=said.evidence,
        times=said.times,
        claims=said.claims,
        not_checked=said.not_checked,
        second_opinion=said.second_opinion,
        ends=said.ends,
    )
    names = bool(found.signers) and set(found.signers) <= set(said.signers)
    sooner = said.ends is None or (found.ends is not None and found.ends <= said.ends)
    return same == said and _image(found, said, evidence) and names and sooner and set(found.times) <= set(said.times)


def _image(found: VerifiedSignature, said: VerifiedSignature, evidence: Evidence) -> bool:
    """Whether both are about one image: by its digest, or by another digest of the bytes that are at hand."""
    if found.subject != evidence.subject or found.subject == said.subject:
        return found.subject == evidence.subject
    content = evidence.content
    return content is not None and all(
        Digest.of(content, each.algorithm) == each for each in (found.subject, said.subject)
    )


def _altered(names: Sequence[str], world: World, random: Random) -> Judged:
    """A piece with a change or a few."""
    name = random.choice(names)
    other = random.choice(names if random.random() < 0.7 else list(world.pieces))
    piece, donor = world.pieces[name], world.pieces[other]
    mutator = Mutator(random, (donor.evidence.payload, piece.evidence.payload))
    evidence = piece.evidence
    for _ in range(mutator.count()):
        evidence = _changed(mutator, evidence, donor.evidence)
    root = piece.root
    if random.random() < 0.1:
        root = random.choice(list(world.roots)) if random.random() < 0.5 else "all"
    return Judged(evidence, root, piece.revocations, (name, other))


def _changed(mutator: Mutator, evidence: Evidence, donor: Evidence) -> Evidence:
    """One change of what is judged: mostly of bytes, now and then of what the store says of them."""
    random = mutator.random
    drawn = random.random()
    if drawn < 0.04:
        return replace(evidence, subject=random.choice(_SUBJECTS))
    if drawn < 0.07:
        return replace(evidence, content=random.choice(_CONTENTS))
    if drawn < 0.09:
        return replace(evidence, layer=replace(evidence.layer, media_type=random.choice(_LAYERS)))
    annotations = list(evidence.layer.annotations)
    if annotations and drawn < 0.6:
        at = random.randrange(len(annotations))
        key, value = annotations[at]
        match random.randrange(8):
            case 0:
                del annotations[at]
            case 1:
                annotations[at] = (key, "")
            case 2:
                annotations[at] = (key, dict(donor.layer.annotations).get(key, ""))
            case 3:
                annotations.append((key.replace("sigstore", "cosignproject"), value))
            case _:
                annotations[at] = (key, mutator.text(value))
        return replace(evidence, layer=replace(evidence.layer, annotations=tuple(annotations)))
    return replace(evidence, payload=mutator.change(evidence.payload))


def _spliced(world: World, random: Random) -> Judged:
    """Parts of two pieces in one, nothing else altered."""
    names = list(world.pieces)
    first = random.choice(names)
    alike = [each for each in names if world.pieces[each].evidence.layer.media_type == _layer(world, first)]
    second = random.choice(alike)
    one, two = world.pieces[first].evidence, world.pieces[second].evidence
    payload = _mixed(random, one.payload, two.payload) if random.random() < 0.8 else two.payload
    notes, others = dict(one.layer.annotations), dict(two.layer.annotations)
    for key in sorted({*notes, *others}):
        if random.random() < 0.3:
            notes[key] = others.get(key, "")
    layer = replace(one.layer, annotations=tuple(notes.items()))
    subject = random.choice((one.subject, two.subject))
    evidence = replace(one, payload=payload, layer=layer, subject=subject, content=random.choice((None, one.content)))
    roots = (world.pieces[first].root, world.pieces[second].root, "all")
    revocations = world.pieces[random.choice((first, second))].revocations
    return Judged(evidence, random.choice(roots), revocations, (first, second))


def _layer(world: World, name: str) -> str:
    return world.pieces[name].evidence.layer.media_type


def _mixed(random: Random, one: bytes, two: bytes) -> bytes:
    """The first with members (JSON) or parts (CBOR) of the second in the same places."""
    left, right = read_json(one), read_json(two)
    if isinstance(left, Pairs) and isinstance(right, Pairs):
        for _ in range(random.randrange(1, 4)):
            _exchange(random, left, right)
        return write_json(left)
    coded = read_cbor(one), read_cbor(two)
    if None in coded:
        return two
    parts, others = (each.items[0] for each in coded)
    for at in range(len(parts)):
        if random.random() < 0.4:
            parts[at] = others[at]
    return write_cbor(coded[0])


def _exchange(random: Random, left: Pairs, right: Pairs) -> None:
    """One member, at some depth, as the other document has it; a member that it alone has is put in."""
    mine, theirs = [key for key, _ in left], dict(right)
    key = random.choice([*mine, *theirs])
    inside = dict(left).get(key)
    other: Any = theirs.get(key)
    while isinstance(inside, list) and isinstance(other, list) and not isinstance(inside, Pairs) and inside and other:
        if random.random() < 0.3:
            inside.append(other[0])
            return
        inside, other = inside[0], other[0]
    if isinstance(inside, Pairs) and isinstance(other, Pairs) and inside and other and random.random() < 0.75:
        _exchange(random, inside, other)
    elif key not in theirs:
        left[:] = [pair for pair in left if pair[0] != key]
    elif key in mine:
        left[mine.index(key)] = (key, theirs[key])
    else:
        left.append((key, theirs[key]))


def _answered(world: World, random: Random) -> Judged:
    """Answers about revocation, altered: a revoked certificate stays revoked, and nobody else becomes a signer."""
    revoked = random.random() < 0.6
    pieces = world.refused if revoked else world.pieces
    name = random.choice([each for each in pieces if pieces[each].revocations.answers])
    piece = pieces[name]
    donors = tuple(world.material[each] for each in ("crl", "delta", "ocsp"))
    mutator = Mutator(random, donors)
    answers = dict(piece.revocations.answers)
    for _ in range(mutator.count()):
        key = random.choice(list(answers))
        data = answers[key].data
        if random.random() < 0.05:
            answers[key] = Answer(None, "it did not answer")
        elif data:
            answers[key] = Answer(mutator.change(data))
        else:
            answers[key] = Answer(random.choice(donors))
    asked = None if random.random() < 0.02 else AT
    return Judged(piece.evidence, piece.root, Revocations(answers, asked), () if revoked else (name,))


def _of(*prefixes: str) -> Callable[[World, Random], Judged]:
    """Cases of the pieces whose names begin so."""
    return partial(_altered_of, prefixes)


def _altered_of(prefixes: tuple[str, ...], world: World, random: Random) -> Judged:
    return _altered([name for name in world.pieces if name.startswith(prefixes)], world, random)


TARGETS: Final = (
    Target("assess-key-dsse", _of("key-p", "key-rsa", "key-ed", "key-window", "key-other"), judge, 48),
    Target("assess-key-message", _of("key-message"), judge, 32),
    Target("assess-key-logged", _of("key-rekor"), judge, 32),
    Target("assess-keyless-v01", _of("keyless-v01"), judge, 28),
    Target("assess-keyless-v02", _of("keyless-v02"), judge, 28),
    Target("assess-keyless-v03-rekor1", _of("keyless-v03-dsse1", "keyless-v03-intoto2", "keyless-w"), judge, 48),
    Target("assess-keyless-v03-rekor2", _of("keyless-v03-rekor2"), judge, 40),
    Target("assess-keyless-v03-message", _of("keyless-v03-message"), judge, 40),
    Target("assess-keyless-tsa", _of("keyless-tsa-only", "keyless-v03-both-times", "keyless-other"), judge, 40),
    Target("assess-legacy-key", _of("legacy-key-"), judge, 40),
    Target("assess-legacy-keyless", _of("legacy-keyless-"), judge, 40),
    Target("assess-notary-jws", _of("notary-jws", "notary-other"), judge, 60),
    Target("assess-notary-cose", _of("notary-cose"), judge, 52),
    Target("assess-revocation", _answered, judge, 40),
    Target("assess-spliced", _spliced, judge, 80),
)
"""Every shape of evidence, each under the roots that believe it and under others."""
