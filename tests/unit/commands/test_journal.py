"""The journal: what survives a kill, and what of it is believed."""

from __future__ import annotations

import json
import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from imgtrust.commands.promotion.journal import BELIEVED_FOR, Journal, journal_path
from imgtrust.errors import InputFileError, OutputFileError, Undecided
from imgtrust.reference import Digest, LayoutRepository

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROOT = Digest.of(b"root")
BLOB = Digest.of(b"blob")
RECORD = Digest.of(b"record")
PLAN = Digest.of(b"plan")
DESTINATION = LayoutRepository("prod")


def opened(path: Path | None, *, plan: Digest = PLAN, root: Digest = ROOT, now: datetime = NOON) -> Journal:
    return Journal(path, root=root, destination=DESTINATION, plan=plan, now=lambda: now)


def test_a_second_run_knows_what_the_first_has_hashed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    with opened(path) as journal:
        journal.blob(BLOB, "copied")
        journal.step("copied")
        journal.recorded(RECORD)
    with opened(path, now=NOON + timedelta(minutes=1)) as journal:
        assert journal.hashed == {BLOB}
        assert journal.record == RECORD
    assert all(json.loads(line) for line in path.read_bytes().splitlines())


def test_a_torn_last_line_is_cut_off_and_the_rest_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with opened(path) as journal:
        journal.blob(BLOB, "copied")
    whole = path.read_bytes()
    for length in range(1, 40):
        path.write_bytes(whole + b'{"blob": "sha256:0123456789abcdef", "how"'[:length])
        with opened(path) as journal:
            assert journal.hashed == {BLOB}
            journal.blob(RECORD, "present")
        assert all(json.loads(line) for line in path.read_bytes().splitlines())
        path.write_bytes(whole)


@pytest.mark.parametrize("length", [0, 1, 9, 30])
def test_a_journal_torn_in_its_first_line_begins_again(tmp_path: Path, length: int) -> None:
    path = tmp_path / "journal.jsonl"
    opened(path).close()
    path.write_bytes(path.read_bytes()[:length])
    with opened(path) as journal:
        journal.blob(BLOB, "copied")
    with opened(path) as journal:
        assert journal.hashed == {BLOB}


@pytest.mark.parametrize("text", ["a letter to my aunt", '{"other": 1}\n', "[]\n", "\n", "\x00\n"])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "aunt.txt"
    path.write_text(text)
    with pytest.raises(InputFileError, match="--journal"):
        opened(path)
    assert path.read_text() == text


def test_the_journal_of_another_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    opened(path).close()
    with pytest.raises(InputFileError, match="not that of this image"):
        opened(path, root=Digest.of(b"another"))


def test_another_plan_keeps_the_blobs_and_drops_the_record(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with opened(path) as journal:
        journal.blob(BLOB, "copied")
        journal.recorded(RECORD)
    with opened(path, plan=Digest.of(b"new plan")) as journal:
        assert journal.hashed == {BLOB}
        assert journal.record is None
    with opened(path) as journal:
        assert journal.record == RECORD


@pytest.mark.parametrize("later", [BELIEVED_FOR + timedelta(seconds=1), timedelta(seconds=-1)])
def test_what_was_hashed_long_ago_or_in_the_future_does_not_count(tmp_path: Path, later: timedelta) -> None:
    path = tmp_path / "journal.jsonl"
    with opened(path) as journal:
        journal.blob(BLOB, "copied")
    with opened(path, now=NOON + later) as journal:
        assert journal.hashed == set()


@pytest.mark.parametrize(
    "line",
    ['{"blob": "sha256:zz", "at": "2026-11-23T12:00:00+00:00"}', '{"blob": 1, "at": 2}', '{"blob": "x"}', "nonsense"],
)
def test_a_line_that_makes_no_sense_is_passed_over(tmp_path: Path, line: str) -> None:
    path = tmp_path / "journal.jsonl"
    with opened(path) as journal:
        journal.blob(BLOB, "copied")
    path.write_bytes(path.read_bytes() + line.encode() + b"\n")
    with opened(path) as journal:
        assert journal.hashed == {BLOB}


def test_a_journal_that_others_can_write_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with opened(path) as journal:
        journal.blob(BLOB, "copied")
        journal.recorded(RECORD)
    path.chmod(0o666)
    with opened(path) as journal:
        assert journal.hashed == set()
        assert journal.record is None


def test_a_new_journal_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    opened(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_processes_at_one_promotion_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with opened(path), pytest.raises(Undecided, match="another process"):
        opened(path)
    opened(path).close()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFileError, match="file/journal"):
        opened(tmp_path / "file" / "journal.jsonl")


@pytest.mark.parametrize("room", [0, 10])
def test_a_full_disk_is_not_finished_rather_than_no(tmp_path: Path, room: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    path = tmp_path / "journal.jsonl"
    with opened(path) as journal:
        journal.blob(BLOB, "copied")
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal_size(journal) + room, hard))
        try:
            with pytest.raises(Undecided, match="cannot write the journal"):
                journal.blob(RECORD, "copied")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with opened(path) as journal:
        assert journal.hashed == {BLOB}


def journal_size(journal: Journal) -> int:
    assert journal.path is not None
    return journal.path.stat().st_size


def test_a_device_is_no_journal() -> None:
    with pytest.raises(InputFileError, match="not that of"):
        opened(Path("/dev/zero"))


def test_without_a_file_the_journal_lasts_as_long_as_the_run() -> None:
    with opened(None) as journal:
        journal.blob(BLOB, "copied")
        journal.recorded(RECORD)
        assert journal.hashed == {BLOB}
        assert journal.record == RECORD
        assert journal.path is None


def test_each_image_and_destination_has_its_own_file(tmp_path: Path) -> None:
    one = journal_path(tmp_path, ROOT, DESTINATION)
    assert one == journal_path(tmp_path, ROOT, DESTINATION)
    assert one != journal_path(tmp_path, BLOB, DESTINATION)
    assert one != journal_path(tmp_path, ROOT, LayoutRepository("elsewhere"))
    assert tmp_path in one.parents
