"""What a target of the fuzzer is: how a case is made from random numbers, and how it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.fuzz.world import World

__all__ = ["FalseAcceptError", "Target"]


class FalseAcceptError(AssertionError):
    """Something was believed, or read, that must not have been."""


@dataclass(frozen=True)
class Target:
    """``make`` gives a case that can be pickled, ``judge`` its outcome in a word; ``share`` of the cases, relatively.

    Whatever ``judge`` raises is a finding: ``FalseAcceptError`` a false accept, anything else a traceback.
    """

    name: str
    make: Callable[[World, Random], Any]
    judge: Callable[[World, Any], str]
    share: int
