"""``--integrity``: how much of an image is read. No postponed annotations here: typer reads the types at run time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from imgtrust.errors import UsageError

if TYPE_CHECKING:
    from imgtrust.rules.facts import IntegrityMode

__all__ = ["Integrity"]


@dataclass(frozen=True)
class Integrity:
    """How much of an image is read."""

    TITLE: ClassVar[str] = "Trust"

    integrity: Annotated[
        str,
        typer.Option(
            "--integrity",
            metavar="full|manifests",
            help="full re-hashes every blob; manifests leaves that out, and the report says so.",
        ),
    ] = "full"

    @property
    def mode(self) -> "IntegrityMode":
        """The mode as a value.

        Raises:
            UsageError: there is no such mode.
        """
        from imgtrust.rules.facts import IntegrityMode  # noqa: PLC0415 - options are read before commands are

        try:
            return IntegrityMode(self.integrity)
        except ValueError:
            message = f"--integrity {self.integrity}: expected full or manifests"
            raise UsageError(message) from None
