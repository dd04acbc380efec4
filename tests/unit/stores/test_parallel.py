"""``stores.parallel``: answers in order, the first failure, and no thread where one will do."""

from __future__ import annotations

import threading

import pytest

from imgtrust.stores.parallel import in_threads


@pytest.mark.parametrize("jobs", [-1, 0, 1, 2, 100])
def test_answers_come_in_the_order_of_the_questions(jobs: int) -> None:
    assert in_threads(lambda n: n * n, range(20), jobs) == [n * n for n in range(20)]
    assert in_threads(lambda n: n, [], jobs) == []


def test_one_thing_is_done_in_this_thread() -> None:
    assert in_threads(lambda _: threading.current_thread(), [1], 8) == [threading.current_thread()]
    assert in_threads(lambda _: threading.current_thread(), [1, 2], 1) == [threading.current_thread()] * 2
    assert threading.current_thread() not in in_threads(lambda _: threading.current_thread(), [1, 2], 2)


@pytest.mark.parametrize("jobs", [1, 4])
def test_the_first_failure_is_passed_on(jobs: int) -> None:
    def work(n: int) -> int:
        if n >= 3:
            raise ValueError(n)
        return n

    with pytest.raises(ValueError, match=r"^3$"):
        in_threads(work, range(1000), jobs)


def test_work_runs_side_by_side() -> None:
    both = threading.Barrier(2, timeout=20)
    assert sorted(in_threads(lambda _: both.wait(), [1, 2], 2)) == [0, 1]
