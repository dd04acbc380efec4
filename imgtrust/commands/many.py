"""Many images, one piece of work each: in threads, in order, and no failure costs another image its result.

Knows how names become open stores and results; knows nothing of what the work is.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from imgtrust.commands.opening import OpenStores
from imgtrust.errors import ImgtrustError, NoImages, NotFound
from imgtrust.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from imgtrust.stores.options import StoreOptions
    from imgtrust.stores.port import Store

__all__ = ["Failed", "each_image", "exit_status"]

_WRONG, _REJECTED, _UNDECIDED = 2, 1, 3
_ORDER: Final = (_UNDECIDED, _REJECTED, _WRONG)

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Failed:
    """An image for which the work was not done, or not to its end."""

    reference: Reference
    error: ImgtrustError

    @property
    def exit_status(self) -> int:
        """2 for an image that is not there, else the status of the error (CLI.md section 2)."""
        return _WRONG if isinstance(self.error, NotFound) else self.error.exit_status


def each_image(
    names: Iterable[str], options: StoreOptions, work: Callable[[Store, Reference], Iterator[_Result]]
) -> Iterator[_Result | Failed]:
    """Do the work for every image, ``options.jobs`` at once; results come in the order of the names.

    All names are read before anything is done. What was attached before an image failed is reported beside its
    failure.

    Raises:
        UsageError: a name cannot be read.
        NoImages: there is no name at all.
    """
    references = [Reference.parse(name) for name in dict.fromkeys(names)]
    if not references:
        message = "no image was named, so there is nothing to do"
        raise NoImages(message)
    return _each(references, options, work)


def exit_status(outcomes: Iterable[object]) -> int:
    """0 where all was done; else 3 if anything may help to be run again, else 1, else 2."""
    found = {outcome.exit_status for outcome in outcomes if isinstance(outcome, Failed)}
    return next((status for status in _ORDER if status in found), 0)


def _each(
    references: list[Reference], options: StoreOptions, work: Callable[[Store, Reference], Iterator[_Result]]
) -> Iterator[_Result | Failed]:
    def one(reference: Reference) -> list[_Result | Failed]:
        done: list[_Result | Failed] = []
        try:
            with stores.use(reference.repository) as store:
                for result in work(store, reference):
                    done.append(result)  # noqa: PERF402 - what came before a failure is kept
        except ImgtrustError as exc:
            done.append(Failed(reference, exc))
        return done

    workers = max(1, min(options.jobs, len(references)))
    with OpenStores(options) as stores:
        if workers == 1:
            for reference in references:
                yield from one(reference)
            return
        pool = ThreadPoolExecutor(workers, thread_name_prefix="imgtrust")
        try:
            for outcomes in pool.map(one, references):
                yield from outcomes
        finally:
            # What is being attached at this moment is finished; what was not begun is not.
            pool.shutdown(wait=True, cancel_futures=True)
