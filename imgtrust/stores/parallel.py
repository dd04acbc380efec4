"""The same work on many things, in threads, answers in order. Knows threads; knows nothing of what the work is."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["in_threads"]

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def in_threads(work: Callable[[_In], _Out], items: Sequence[_In], jobs: int) -> list[_Out]:
    """``[work(item) for item in items]`` in at most ``jobs`` threads; in this one where that is as good.

    The first exception of ``work``, in the order of ``items``, is passed on; work that was not begun is not begun.
    """
    if jobs <= 1 or len(items) <= 1:
        return [work(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - a run with one image needs no pool

    pool = ThreadPoolExecutor(max_workers=min(jobs, len(items)), thread_name_prefix="imgtrust")
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
