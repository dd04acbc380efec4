"""Commands that are imported only when they run: ``--help`` reads a table, not thirteen modules.

Knows typer's classes; knows nothing of what the commands do.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

from imgtrust.cli import later

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LazyGroup", "Part", "PlainCommand", "PlainGroup", "Row"]

Part = Any
"""A command, parameter or formatter of typer: these classes have no public names."""


@dataclass(frozen=True, slots=True)
class Row:
    """Where a command lives (a module with a typer ``app``) and what the list of commands says of it."""

    module: str
    summary: str


class PlainCommand(TyperCommand):
    """A command whose help lists its options under the titles of their groups."""

    def get_params(self, ctx: Part) -> list[Part]:
        """Every parameter, with the plain conversion."""
        return _plain(super().get_params(ctx))

    def collect_usage_pieces(self, _ctx: Part) -> list[str]:
        """``[OPTIONS] IMAGE...``, brackets only around what may be left out."""
        pieces = ["[OPTIONS]"]
        for param in self.params:
            if param.param_type_name == "argument":
                name = _argument(param)
                pieces.append(name if param.required else f"[{name}]")
        return pieces

    def format_options(self, ctx: Part, formatter: Part) -> None:
        """Arguments first, then one section per group of options."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            if param.param_type_name == "argument":
                sections["Arguments"].append((_argument(param), param.help or ""))
            else:
                sections.setdefault(param.rich_help_panel or "Options", []).append(record)
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _argument(param: Part) -> str:
    """An argument as usage and help show it."""
    return f"{param.metavar or param.name.upper()}{'' if param.nargs == 1 else '...'}"


class PlainGroup(TyperGroup):
    """A group of commands that says what comes later, and offers the nearest name for one that does not exist."""

    def get_params(self, ctx: Part) -> list[Part]:
        """Every parameter, with the plain conversion."""
        return _plain(super().get_params(ctx))

    def resolve_command(self, ctx: Part, args: list[str]) -> Part:
        """Find the command, or say why there is none of that name."""
        name = args[0]
        names = self.list_commands(ctx)
        if name not in names and not name.startswith("-"):
            prefix = "" if ctx.parent is None else f"{self.name} "
            reason = later.COMMANDS.get(prefix + name)
            if reason is not None:
                ctx.fail(f"{prefix}{name} is not in this version; it comes with {reason}")
            ctx.fail(_no_such_command(name, [*names, *(n for n in later.COMMANDS if not prefix)]))
        return super().resolve_command(ctx, args)


class LazyGroup(PlainGroup):
    """A group whose commands are rows of a table."""

    rows: ClassVar[Mapping[str, Row]] = {}

    def list_commands(self, _ctx: Part) -> list[str]:
        """The names, in the table's order."""
        return list(self.rows)

    def get_command(self, _ctx: Part, cmd_name: str) -> Part:
        """Import one command; None for a name that is not in the table."""
        row = self.rows.get(cmd_name)
        if row is None:
            return None
        if cmd_name not in self.commands:
            command = typer.main.get_command(importlib.import_module(row.module).app)
            command.name = cmd_name
            self.commands[cmd_name] = command
        return self.commands[cmd_name]

    def format_commands(self, _ctx: Part, formatter: Part) -> None:
        """List the commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.summary) for name, row in self.rows.items()])


def _no_such_command(name: str, names: list[str]) -> str:
    """The message for a command that does not exist."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistyped name needs it

    near = get_close_matches(name, names, n=1)
    return f"there is no command {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


class _Plain:
    """Takes a value of the command line as the plain type that its parameter names.

    typer builds a pydantic adapter for each parameter: 60 ms and 12 MiB for what these lines do.
    """

    def __init__(self, kind: type) -> None:
        """``kind`` is str, int, float or bool."""
        self._kind = kind

    def coerce(self, value: object, param: Part, ctx: typer.Context) -> object:
        """The value, or the tuple of values, as the type; None stays None."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if isinstance(value, (list, tuple)):
            return tuple(self._one(item, param, ctx) for item in value)
        return self._one(value, param, ctx)

    def _one(self, value: object, param: Part, ctx: typer.Context) -> object:
        """One value as the type."""
        if isinstance(value, self._kind):
            return value
        try:
            return self._kind(value)
        except ValueError:
            message = f"{value!r} is not a {_WORDS[self._kind]}"
            raise typer.BadParameter(message, ctx=ctx, param=param) from None


_WORDS: Final = {int: "whole number", float: "number", str: "text", bool: "yes or no"}


def _plain(params: list[Part]) -> list[Part]:
    """Give every parameter of a plain type the plain conversion."""
    for param in params:
        annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
        if get_origin(annotation) is list:
            (annotation,) = get_args(annotation)
        if annotation in _WORDS and hasattr(param, "_runtime_param"):
            param._runtime_param = _Plain(annotation)  # noqa: SLF001 - see _Plain: there is no public way
    return params
