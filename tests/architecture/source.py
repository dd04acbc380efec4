"""The source of imgtrust as syntax trees: what each rule of the architecture looks at. Reads files, runs nothing."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PACKAGE", "ROOT", "Import", "Source", "package_sources", "test_sources"]

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = "imgtrust"


@dataclass(frozen=True)
class Import:
    """One imported module: its dotted name, where, and whether it is imported only when a function runs."""

    module: str
    line: int
    inside_function: bool


@dataclass(frozen=True)
class Source:
    """A module: its dotted name (``imgtrust.trust.keys``), its path from the root, and its text."""

    name: str
    path: str
    text: str = field(repr=False)

    @property
    def room(self) -> str:
        """The part of the house: ``trust``, ``errors``; the empty string for the package itself."""
        return self.name.split(".")[1] if "." in self.name else ""

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    def imports(self) -> Iterator[Import]:
        """Every import anywhere in the module; ``from a import b`` gives both ``a`` and ``a.b``."""
        yield from _imports(self.tree, self, inside=False)


def _imports(node: ast.AST, source: Source, *, inside: bool) -> Iterator[Import]:
    """The imports below a node."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import():
                for alias in child.names:
                    yield Import(alias.name, child.lineno, inside)
            case ast.ImportFrom():
                base = _absolute(child, source)
                yield Import(base, child.lineno, inside)
                for alias in child.names:
                    yield Import(f"{base}.{alias.name}", child.lineno, inside)
            case _:
                function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from _imports(child, source, inside=inside or function)


def _absolute(node: ast.ImportFrom, source: Source) -> str:
    """The module that a ``from`` names, relative ones resolved."""
    if not node.level:
        return node.module or ""
    parts = source.name.split(".")
    package = parts if source.path.endswith("__init__.py") else parts[:-1]
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def package_sources() -> tuple[Source, ...]:
    """All modules of imgtrust."""
    return _read(ROOT / PACKAGE)


def test_sources() -> tuple[Source, ...]:
    """All modules of the tests, but those about the architecture, whose samples are bad on purpose."""
    return tuple(source for source in _read(ROOT / "tests") if "architecture" not in source.path)


test_sources.__test__ = False  # type: ignore[attr-defined]  # it is no test, whatever its name


def third_party(module: str) -> str | None:
    """The distribution's top package if a module is neither of the standard library nor our own."""
    top = module.split(".", maxsplit=1)[0]
    return None if top in sys.stdlib_module_names or top in {PACKAGE, "tests", ""} else top


def _read(folder: Path) -> tuple[Source, ...]:
    """All Python files below a folder."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Source(name, str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")))
    return tuple(found)
