"""The table of the matrix says what ran, what failed, and what cannot be."""

from __future__ import annotations

from tests.fixtures.matrix import ACTIONS, PEERS, PLACES, READERS, UNPAIRED, WRITERS, pairs_table, table, unproven


def test_a_cell_counts_its_tests_and_shows_failures() -> None:
    notes = [
        ("cosign|ggcr|sign", "passed"),
        ("cosign|ggcr|sign", "passed"),
        ("oras|layout|attach", "passed"),
        ("oras|layout|attach", "failed"),
    ]
    lines = table(notes)
    assert lines[0].split() == list(ACTIONS)
    cosign = next(line for line in lines if line.startswith("cosign  ggcr"))
    assert cosign.split("  ")[0] == "cosign"
    assert "ok 2" in cosign
    assert cosign.count("not run") == 3
    assert "FAILED 1/2" in next(line for line in lines if line.startswith("oras    layout"))


def test_every_pair_has_its_line() -> None:
    lines = table([("skopeo|ggcr|sign", "passed")])
    for peer in (*PEERS, "skopeo"):
        for place in PLACES:
            assert any(line.split()[:2] == [peer, place] for line in lines)


def test_a_cell_that_nothing_proved_is_found() -> None:
    pairs = [(f"{writer}|{reader}", "passed") for writer in WRITERS for reader in READERS]
    possible = [note for note in pairs if tuple(note[0].split("|")) not in UNPAIRED]
    assert unproven(pairs_table(possible)) == []
    (left,) = unproven(pairs_table(possible[1:]))
    assert left.startswith(WRITERS[0])


def test_nothing_is_called_impossible_that_has_its_own_form_and_reader() -> None:
    for writer, reader in UNPAIRED:
        assert writer in WRITERS
        assert reader in READERS
        assert reader != "imgtrust"
