"""20,000 cases of ``make fuzz`` in every run of the tests; and the fuzzer itself, which must find what is wrong."""

from __future__ import annotations

import base64
import json
import pickle
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.trust.signatures import VerifiedSignature
from tests.fuzz import __main__ as program
from tests.fuzz import judgement, running
from tests.fuzz.cbortree import read_cbor, write_cbor
from tests.fuzz.dertree import read_der, write_der
from tests.fuzz.jsontext import read_json, write_json
from tests.fuzz.mutators import Mutator
from tests.fuzz.running import TARGETS, make_case, run_all, run_case, run_stretch
from tests.fuzz.target import FalseAcceptError, Target
from tests.fuzz.world import OTHER, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fuzz.world import World

CASES = 20_000
SHARES = program.shared(list(TARGETS.values()), CASES)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


@pytest.mark.parametrize("name", TARGETS)
def test_no_case_raises_and_none_is_believed(name: str, world: World, tmp_path: Path) -> None:
    score = run_stretch(world, TARGETS[name], 1, range(SHARES[name]))
    found = [f"{each.kind} {each.keep(tmp_path, world)} {each.place}\n{each.text}" for each in score.findings]
    assert not found, "python -m tests.fuzz --replay FILE shows it again:\n" + "\n".join(found)
    assert score.cases == SHARES[name]


def test_the_cases_of_the_ordinary_tests_are_20_000() -> None:
    assert sum(SHARES.values()) == CASES
    assert min(SHARES.values()) > 0


# --- the fuzzer finds what is wrong -----------------------------------------------------------------------------------


def target(judge: Any) -> Target:
    """One that makes numbers."""
    return Target("made", lambda _, random: random.randrange(1000), judge, 1)


def planted(world: World, judge: Any) -> tuple[str, str, str]:
    return run_case(world, target(judge), 7)


def test_what_is_raised_is_a_traceback_with_its_place(world: World) -> None:
    nothing: dict[str, str] = {}
    outcome, kind, text = planted(world, lambda *_: nothing["absent"])
    assert (outcome, kind) == ("traceback", "traceback")
    assert text.startswith("KeyError")
    assert "absent" in text


def test_what_is_believed_and_was_not_said_is_a_false_accept(world: World) -> None:
    def believes(*_: Any) -> str:
        raise FalseAcceptError("anybody")  # noqa: EM101 - the message is what is looked for

    assert planted(world, believes)[1] == "false accept"


def test_a_case_that_takes_too_long_is_found(world: World) -> None:
    def slow(*_: Any) -> str:
        end = time.process_time() + running.SLOW
        while time.process_time() <= end:
            pass
        return "accepted"

    assert planted(world, slow)[:2] == ("accepted", "slow")


def test_a_case_that_never_ends_is_ended_and_found(world: World) -> None:
    def endless(*_: Any) -> str:
        while True:
            pass

    score = run_stretch(world, target(endless), 0, range(1), limit=0.2)
    assert (score.cases, score.kinds) == (1, {"slow": 1})


def test_the_first_few_findings_of_one_place_are_kept_and_all_are_counted(world: World) -> None:
    score = run_stretch(world, target(lambda *_: str(1 // 0)), 0, range(40))
    assert score.kinds["traceback"] == 40
    assert 0 < len(score.findings) < 10


def test_a_target_with_a_fault_ends_the_run_in_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--cases", "60", "--jobs", "1", "--folder", str(tmp_path), "digest"]) == 0
    out = capsys.readouterr().out
    assert "| digest | 60 |" in out
    bad = running.Finding("digest", 0, 3, "traceback", "KeyError", "text", b"case")
    score = running.Score(1, 1.0, findings=[bad])
    options = program.options_of(["--folder", str(tmp_path)])
    assert program.sum_up({"digest": score}, options, make_world(), 1.0) == 1
    assert "TRACEBACK digest:0:3" in capsys.readouterr().out
    assert program.main(["--folder", str(tmp_path), "--replay", str(tmp_path / "digest-0-3.case")]) == 0


def test_an_unknown_target_or_case_is_wrong_usage(tmp_path: Path) -> None:
    program.kept_world(tmp_path)
    for arguments in (["nothing"], ["--replay", "nothing:1:2"], ["--replay", "digest:1"]):
        assert program.main(["--folder", str(tmp_path), *arguments]) == 2


def test_two_processes_and_one_do_the_same_cases(tmp_path: Path) -> None:
    """Two are forked, so they are those of a program of their own."""
    program.kept_world(tmp_path)
    names = ("statement", "digest", "assess-key-dsse")
    command = [sys.executable, "-m", "tests.fuzz", "--cases", "2000", "--seed", "3", "--folder", str(tmp_path), *names]
    one, two = (
        subprocess.run([*command, "--jobs", jobs], capture_output=True, text=True, check=True, cwd=program.ROOT).stdout
        for jobs in ("1", "2")
    )
    rows = [[line.rsplit("|", 3)[0] for line in out.splitlines() if line.startswith("|")] for out in (one, two)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == len(names) + 3
    assert "| 2,000 |" in rows[0][-1]


def test_when_the_time_is_over_no_more_cases_are_begun(world: World) -> None:
    found = run_all(world, {"json": 10**6}, seed=3, jobs=1, until=time.monotonic() - 1, tell=lambda _: None)
    assert found["json"].cases == 0


# --- a case is the same again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bundle", "assess-keyless-v01", "assess-spliced", "assess-revocation", "notary-cose"])
def test_a_name_makes_the_same_case_in_the_same_world(name: str, world: World) -> None:
    again = pickle.loads(pickle.dumps(world))  # noqa: S301 - made here
    for number in range(20):
        assert make_case(world, TARGETS[name], 5, number) == make_case(again, TARGETS[name], 5, number)
    assert make_case(world, TARGETS[name], 5, 0) != make_case(world, TARGETS[name], 6, 0)


def test_a_world_is_kept_and_made_anew_only_where_it_is_no_longer_believed(tmp_path: Path) -> None:
    first = program.kept_world(tmp_path)
    second = program.kept_world(tmp_path)
    assert first.pieces == second.pieces
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"no pickle")
    assert program.kept_world(tmp_path).pieces.keys() == first.pieces.keys()


# --- the oracle of belief ---------------------------------------------------------------------------------------------


def test_every_shape_of_evidence_is_there_and_believed_by_its_root_alone(world: World) -> None:
    for name, root in world.homes():
        assert isinstance(world.believed(name, root), VerifiedSignature)
        assert not isinstance(world.believed(name, "nobody"), VerifiedSignature)
    formats = {str(said.format) for said in map(world.believed, *zip(*world.homes(), strict=True))}
    assert formats == {"sigstore-bundle", "cosign-simplesigning", "notary-jws", "notary-cose"}


def test_every_target_of_belief_accepts_what_is_not_altered(world: World) -> None:
    for name, root in world.homes():
        piece = world.pieces[name]
        case = judgement.Judged(piece.evidence, root, piece.revocations, (name,))
        assert judgement.judge(world, case) == "accepted"
    for piece in world.refused.values():
        case = judgement.Judged(piece.evidence, piece.root, piece.revocations, ())
        assert judgement.judge(world, case) == "notary.revoked"


def test_what_another_piece_says_is_a_false_accept(world: World) -> None:
    piece = world.pieces["key-p256"]
    case = judgement.Judged(piece.evidence, piece.root, piece.revocations, ("key-p384", "key-other"))
    with pytest.raises(FalseAcceptError, match="believed under keys"):
        judgement.judge(world, case)


def changes() -> dict[str, dict[str, Any]]:
    return {
        "signer": {"signers": ("somebody",)},
        "one signer more": {"signers": ("p256", "somebody")},
        "no signer": {"signers": ()},
        "identity": {"identity": "key sha256:0"},
        "subject": {"subject": OTHER},
        "statement": {"statement": None},
        "annotation": {"annotations": (("a", "b"),)},
        "later end": {"ends": datetime(2030, 1, 1, tzinfo=UTC)},
    }


@pytest.mark.parametrize("name", changes())
def test_a_belief_that_says_more_is_seen(name: str, world: World) -> None:
    said = world.believed("key-p256", "keys")
    assert isinstance(said, VerifiedSignature)
    evidence = world.pieces["key-p256"].evidence
    until = replace(said, ends=datetime(2029, 1, 1, tzinfo=UTC))
    assert judgement.says_no_more(until, until, evidence)
    assert not judgement.says_no_more(replace(until, **changes()[name]), until, evidence)


def test_a_time_may_go_and_none_may_come(world: World) -> None:
    said = world.believed("key-p256", "keys")
    assert isinstance(said, VerifiedSignature)
    evidence = world.pieces["key-p256"].evidence
    first, second = said.times
    assert judgement.says_no_more(replace(said, times=(second,)), said, evidence)
    later = replace(first, time=first.time + timedelta(seconds=1))
    assert not judgement.says_no_more(replace(said, times=(first, later)), said, evidence)


def drawn(number: int) -> Random:
    return Random(number)  # noqa: S311 - cases, no secrets


# --- mutators ---------------------------------------------------------------------------------------------------------


def test_what_is_read_is_written_as_it_was(world: World) -> None:
    for data in world.material.values():
        nodes = read_der(data) if data[:1] == b"0" else None
        assert nodes is None or write_der(nodes) == data
    for name in ("notary-cose", "notary-cose-aws"):
        data = world.pieces[name].evidence.payload
        assert write_cbor(read_cbor(data)) == data
    for name in ("key-p256", "keyless-v03-rekor2", "notary-jws"):
        data = world.pieces[name].evidence.payload
        assert json.loads(write_json(read_json(data))) == json.loads(data)


def test_changes_reach_what_is_inside_of_what_is_inside(world: World) -> None:
    """The certificate in PEM in base64 in the body of a log entry, which is base64 in a bundle."""
    good = world.pieces["keyless-v03-dsse1"].evidence.payload
    entry = json.loads(good)["verificationMaterial"]["tlogEntries"][0]
    body = json.loads(base64.b64decode(entry["canonicalizedBody"]))
    deepest = body["spec"]["signatures"][0]["verifier"]
    reached = 0
    for number in range(3000):
        changed = Mutator(drawn(number), (good,)).change(good)
        try:
            found = json.loads(changed)["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"]
            pem = json.loads(base64.b64decode(found))["spec"]["signatures"][0]["verifier"]
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            continue
        reached += pem != deepest and str(pem).startswith("LS0tLS1CRUdJTi")
    assert reached > 5


@pytest.mark.parametrize("data", [b"", b"\x00", b"{}", b"[]", b"0\x00", b"\xa0", b"a", b"-----BEGIN X-----\nAA\n"])
def test_the_smallest_of_bytes_can_be_changed(data: bytes) -> None:
    for number in range(300):
        Mutator(drawn(number), ()).several(data)
