"""Groups of options that several commands share: a dataclass is a group, its fields are the options.

Knows typer's way of reading a signature; knows no option by name.
"""

from __future__ import annotations

import dataclasses
import inspect
from copy import copy
from dataclasses import MISSING, Field
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

import typer

from imgtrust.cli.lazy import PlainCommand, PlainGroup
from imgtrust.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["as_command", "new_app", "new_group"]

_Value = Any
"""Whatever an option holds."""

_SETTINGS = {"max_content_width": 100, "help_option_names": ["--help", "-h"]}


def new_app(summary: str = "") -> typer.Typer:
    """An application of one command or a group, without typer's rich output and completion options."""
    return typer.Typer(
        help=summary,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings=dict(_SETTINGS),
    )


def new_group(summary: str) -> typer.Typer:
    """An application of several commands; ``summary`` is what its help begins with."""
    app = new_app(summary)
    app.info.cls = PlainGroup
    app.info.no_args_is_help = True
    app.callback()(_nothing)
    return app


def _nothing() -> None:
    """What a group does before its command."""


def as_command(app: typer.Typer, name: str | None = None) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add a function to an application as a command; it returns the exit status.

    A parameter whose type is a dataclass stands for one option per field and gets an instance; its ``TITLE`` is
    what help lists them under. The parameter ``session`` gets the session. All others are typer's.
    """

    def add(function: Callable[..., int]) -> Callable[..., int]:
        app.command(name, cls=PlainCommand, context_settings=dict(_SETTINGS))(_spread(function))
        return function

    return add


def _spread(function: Callable[..., int]) -> Callable[..., int]:
    """A function with one parameter per option, which calls ``function`` with the groups."""
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, type] = {}
    own: list[str] = []
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        if hint is Session:
            continue
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            groups[name] = hint
            parameters += _fields(hint)
        else:
            own.append(name)
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hint))

    def command(context: typer.Context, **values: _Value) -> int:
        arguments: dict[str, Any] = {name: values[name] for name in own}
        if "session" in hints:
            arguments["session"] = context.obj
        for name, group in groups.items():
            arguments[name] = group(**{f.name: _tuple(values[f.name]) for f in dataclasses.fields(group)})
        return function(**arguments)

    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    required_first = sorted(parameters, key=lambda p: p.default is not inspect.Parameter.empty)
    command.__signature__ = inspect.Signature([context, *required_first])  # type: ignore[attr-defined]  # how functions carry one
    command.__annotations__ = {}
    command.__name__ = function.__name__
    command.__doc__ = inspect.cleandoc(function.__doc__ or "").replace("\\b\n", "\b\n")
    return command


def _fields(group: type) -> list[inspect.Parameter]:
    """The fields of a group as parameters, in their order, each under the group's title."""
    hints: Mapping[str, Any] = get_type_hints(group, include_extras=True)
    parameters = []
    for option in dataclasses.fields(group):
        kind, given = get_args(hints[option.name])
        info = copy(given)
        info.rich_help_panel = getattr(group, "TITLE", None)
        annotation: _Value = Annotated[kind, info]
        parameters.append(
            inspect.Parameter(
                option.name, inspect.Parameter.KEYWORD_ONLY, default=_default(option), annotation=annotation
            )
        )
    return parameters


def _default(field: Field[Any]) -> _Value:
    """The default of a field as typer wants it: a list for a repeatable option."""
    if field.default_factory is not MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is MISSING else field.default


def _tuple(value: _Value) -> _Value:
    """Values travel as tuples."""
    return tuple(value) if isinstance(value, list) else value
