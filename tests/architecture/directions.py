"""Who may import whom: the two towers, the owners of third-party packages, no cycles. Pure functions over sources.

Each rule takes sources and gives complaints, one line each, so that a small bad sample can prove it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tests.architecture.source import PACKAGE, third_party

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.architecture.source import Source

__all__ = ["CORE", "cycles", "eager_imports", "owners", "towers"]

_LEAVES: Final = frozenset({"refusals", "strict_json"})
_ERRORS: Final = _LEAVES | {"errors"}
_REFERENCE: Final = _ERRORS | {"reference"}
_CONTENT: Final = _REFERENCE | {"content"}
_GROUND: Final = _CONTENT | {"evidence"}
_FORMATS: Final = _GROUND | {"formats"}
_BELIEF: Final = _FORMATS | {"trust", "predicates"}
_RULES: Final = _BELIEF | {"rules"}
_POLICY: Final = _RULES | {"policy"}
_REPORTS: Final = _POLICY | {"reports"}
_COMMANDS: Final = _REPORTS | {"stores", "signers", "commands"}

MAY_IMPORT: Final[dict[str, frozenset[str]]] = {
    "refusals": frozenset(),
    "strict_json": frozenset(),
    "errors": _LEAVES,
    "reference": _ERRORS,
    "content": _REFERENCE,
    "evidence": _CONTENT,
    "formats": _FORMATS,
    "trust": _FORMATS | {"trust"},
    "predicates": _FORMATS | {"predicates"},
    "rules": _RULES,
    "policy": _POLICY,
    "reports": _REPORTS,
    "stores": _FORMATS | {"stores"},
    "signers": _FORMATS | {"trust", "signers"},
    "commands": _COMMANDS,
    "cli": _COMMANDS | {"cli", ""},
    "": _COMMANDS,
    "__main__": frozenset({"cli"}),
}
"""What each room may import; a room that is not listed may import nothing."""

CORE: Final = _REPORTS
"""The rooms that are pure."""

OWNERS: Final[dict[str, tuple[str, ...]]] = {
    "boto3": ("stores.ecr", "signers"),
    "botocore": ("stores.ecr", "signers"),
    "click": ("cli",),
    "cryptography": ("trust", "signers"),
    "httpx": ("stores",),
    "nacl": ("signers",),
    "oras": ("stores.orasadapter",),
    "rfc3161_client": ("trust.times", "signers"),
    "rich": ("cli",),
    "sigstore": ("trust", "signers.oidc"),
    "tuf": ("signers.tuf",),
    "typer": ("cli",),
    "urllib3": ("stores", "signers.wire"),
}
"""Which rooms or modules may import a third-party package (docs/reference/dependencies.md)."""

SLOW: Final = frozenset({"boto3", "botocore", "oras", "sigstore", "rich", "tuf"})
"""Packages that take so long to import that only the function that needs them may."""

SLOW_MODULES: Final = frozenset({f"{PACKAGE}.stores.orasadapter"})
"""Modules of ours that cannot but import one (a class of it is subclassed): they are imported like one."""


def towers(sources: Iterable[Source]) -> list[str]:
    """Imports of a room that the importing room may not know."""
    found = []
    for source in sources:
        allowed = MAY_IMPORT.get(source.room, frozenset())
        for wanted in source.imports():
            parts = wanted.module.split(".")
            if parts[0] != PACKAGE or len(parts) == 1:  # the bare package names no room
                continue
            room = parts[1] if parts[1] in MAY_IMPORT else ""  # "from imgtrust import name": of the package itself
            if room not in allowed:
                found.append(f"{source.path}:{wanted.line} {source.room or PACKAGE} may not import {wanted.module}")
    return found


def owners(sources: Iterable[Source]) -> list[str]:
    """Third-party packages imported by somebody who does not own them, or that nobody owns."""
    found = []
    for source in sources:
        inside = source.name.removeprefix(f"{PACKAGE}.")
        for wanted in source.imports():
            package = third_party(wanted.module)
            if package is None:
                continue
            mine = OWNERS.get(package, ())
            if not any(inside == owner or inside.startswith(f"{owner}.") for owner in mine):
                whose = ", ".join(mine) or "nobody"
                found.append(f"{source.path}:{wanted.line} imports {package}, which belongs to {whose}")
    return sorted(set(found))


def eager_imports(sources: Iterable[Source]) -> list[str]:
    """Slow packages, and modules that need them at once, that are imported when a module is."""
    found = set()
    for source in sources:
        for wanted in source.imports():
            slow = wanted.module if wanted.module in SLOW_MODULES else third_party(wanted.module)
            if slow not in SLOW | SLOW_MODULES or source.name in SLOW_MODULES:
                continue
            if not wanted.inside_function and not _typing(source, wanted.line):
                found.add(f"{source.path}:{wanted.line} imports {slow} when it is imported itself")
    return sorted(found)


def cycles(sources: Sequence[Source]) -> list[str]:
    """Modules that import each other in a circle, imports for types and inside functions counted.

    The package itself is left out: it names what it offers and imports that when it is asked for.
    """
    names = {source.name for source in sources} - {PACKAGE}
    graph: dict[str, set[str]] = defaultdict(set)
    for source in sources:
        if source.name == PACKAGE:
            continue
        graph[source.name] = {w.module for w in source.imports() if w.module in names and w.module != source.name}
        for wanted in [w.module for w in source.imports() if w.module in names]:
            # "from package import module" names the package only to reach the module.
            if any(other.startswith(f"{wanted}.") for other in graph[source.name]) and not _uses(source, wanted, names):
                graph[source.name].discard(wanted)
    return [" -> ".join(circle) for circle in _circles(graph)]


def _uses(source: Source, package: str, names: set[str]) -> bool:
    """Whether a source takes something from a package that is not itself a module."""
    taken = {wanted.module for wanted in source.imports()} - names
    return any(module.rpartition(".")[0] == package for module in taken)


def _circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """One circle for each back edge of a walk in depth."""
    done: set[str] = set()
    found: list[list[str]] = []

    def walk(name: str, path: list[str]) -> None:
        """Walk from a module whose importers are ``path``."""
        if name in path:
            found.append([*path[path.index(name) :], name])
            return
        if name in done:
            return
        for wanted in sorted(graph.get(name, ())):
            walk(wanted, [*path, name])
        done.add(name)

    for name in sorted(graph):
        walk(name, [])
    return found


def _typing(source: Source, line: int) -> bool:
    """Whether a line lies in an ``if TYPE_CHECKING:`` block of the module."""
    return any(
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
        and node.lineno < line <= (node.end_lineno or node.lineno)
        for node in ast.walk(source.tree)
    )
