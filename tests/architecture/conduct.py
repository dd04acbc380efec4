"""How modules behave: purity, sizes, names, who makes proven values, reasons. Pure functions over sources.

Each rule takes sources and gives complaints, one line each, so that a small bad sample can prove it.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TYPE_CHECKING, Final

from tests.architecture.directions import CORE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.architecture.source import Source

__all__ = ["codes_demanded", "impure", "makers", "names", "patches", "purity_said", "reasons", "sizes", "sleeps"]

MODULE_LINES: Final = 300
FUNCTION_LINES: Final = 50

_IMPURE_MODULES: Final = frozenset(
    {
        "asyncio",
        "concurrent",
        "ctypes",
        "fcntl",
        "getpass",
        "glob",
        "http",
        "importlib",
        "locale",
        "logging",
        "mmap",
        "multiprocessing",
        "os",
        "platform",
        "random",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib.request",
        "uuid",
    },
)
_PURE_PATHS: Final = frozenset({"pathlib.PurePath", "pathlib.PurePosixPath"})
_IMPURE_CALLS: Final = frozenset({"open", "input", "print", "exec", "eval", "__import__", "breakpoint"})
_CLOCK_OWNERS: Final = frozenset({"datetime", "date", "dt"})
_CLOCKS: Final = frozenset({"now", "utcnow", "today"})
_IO_METHODS: Final = frozenset(
    {
        "read_text",
        "write_text",
        "read_bytes",
        "write_bytes",
        "iterdir",
        "rglob",
        "unlink",
        "mkdir",
        "is_file",
        "is_dir",
    },
)
_PATCHING: Final = frozenset({"setattr", "patch", "setitem"})
_BANNED_NAMES: Final = frozenset({"utils", "util", "helpers", "helper", "common", "models", "misc", "base", "tools"})
_MAKERS: Final = {"VerifiedTime": "imgtrust.trust.times", "VerifiedSignature": "imgtrust.trust.signatures"}
_NOQA: Final = re.compile(r"#\s*noqa(?P<codes>:\s*[A-Z]+[0-9]+(?:\s*,\s*[A-Z]+[0-9]+)*)?(?P<reason>\s*(?:-|#)\s*\S.+)?")
_IGNORE: Final = re.compile(r"#\s*type:\s*ignore(?P<codes>\[[a-z0-9, -]+\])?(?P<reason>\s*(?:-|#)\s*\S.+)?")


def impure(sources: Iterable[Source]) -> list[str]:
    """Core modules that could read a clock, the environment, a disk or a network."""
    found = []
    for source in sources:
        if source.room not in CORE:
            continue
        found += [f"{source.path}:{w.line} imports {w.module}" for w in source.imports() if _impure_import(w.module)]
        found += [f"{source.path}:{line} {what}" for line, what in _impure_uses(source.tree)]
    return found


def _impure_import(module: str) -> bool:
    """Whether importing a module gives a way out of purity."""
    top = module.split(".", maxsplit=1)[0]
    if top == "pathlib":
        return module not in _PURE_PATHS and module != "pathlib"
    return top in _IMPURE_MODULES or module in _IMPURE_MODULES


def _impure_uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Calls that read a clock or a file."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in _IMPURE_CALLS:
                yield node.lineno, f"calls {name}()"
            case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name) if (
                owner in _CLOCK_OWNERS and name in _CLOCKS
            ):
                yield node.lineno, f"reads the clock (.{name})"
            case ast.Call(func=ast.Attribute(attr=name)) if name in _IO_METHODS:
                yield node.lineno, f"touches the disk (.{name})"
            case ast.Import(names=aliases) if any(alias.name == "pathlib" for alias in aliases):
                yield node.lineno, "imports pathlib whole"
            case _:
                pass


def purity_said(sources: Iterable[Source]) -> list[str]:
    """Core modules whose docstring does not say that they are pure."""
    return [
        f"{source.path} does not say 'Pure.'"
        for source in sources
        if source.room in CORE and "Pure." not in (ast.get_docstring(source.tree) or "")
    ]


def sizes(sources: Iterable[Source]) -> list[str]:
    """Modules above 300 lines, and functions with a body above 50 (signature and docstring not counted)."""
    found = []
    for source in sources:
        lines = len(source.text.splitlines())
        if lines > MODULE_LINES:
            found.append(f"{source.path} has {lines} lines, more than {MODULE_LINES}")
        found += [
            f"{source.path}:{node.lineno} {node.name} has {_body(node)} lines, more than {FUNCTION_LINES}"
            for node in ast.walk(source.tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _body(node) > FUNCTION_LINES
        ]
    return found


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function's body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def names(sources: Iterable[Source]) -> list[str]:
    """Modules and folders named for nothing."""
    return [
        f"{source.path} is named for nothing that it knows"
        for source in sources
        if _BANNED_NAMES & set(source.path.removesuffix(".py").split("/"))
    ]


def makers(sources: Iterable[Source]) -> list[str]:
    """Proven values that are made outside the one module that proves them."""
    return [
        f"{source.path}:{node.lineno} makes a {made}, which only {_MAKERS[made]} may"
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and (made := _called(node.func)) in _MAKERS and _MAKERS[made] != source.name
    ]


def _called(function: ast.expr) -> str:
    """The last part of a called name."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def reasons(sources: Iterable[Source]) -> list[str]:
    """Silenced checks without a code, and codes that never get a reason where they are first silenced in a file."""
    found = []
    for source in sources:
        explained: set[str] = set()
        for line, comment in _comments(source.text):
            for pattern in (_NOQA, _IGNORE):
                for match in pattern.finditer(comment):
                    codes = set(re.findall(r"[A-Za-z0-9-]+", match["codes"] or ""))
                    if not codes:
                        found.append(f"{source.path}:{line} silences a check without its code")
                    elif match["reason"]:
                        explained |= codes
                    elif codes - explained:
                        found.append(
                            f"{source.path}:{line} silences {', '.join(sorted(codes - explained))} without a reason"
                        )
            if "pragma: no cover" in comment and source.room in CORE:
                found.append(f"{source.path}:{line} hides a line of the core from coverage")
    return found


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Every comment with its line."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def codes_demanded(codes: Iterable[tuple[str, str]], tests: Iterable[Source]) -> list[str]:
    """Refusal codes, as (member, value), that no test demands by either name."""
    text = "\n".join(source.text for source in tests)
    return [
        f"no test demands {member} ({value})"
        for member, value in codes
        if not re.search(rf"\b{member}\b|[\"']{re.escape(value)}[\"']", text)
    ]


def patches(tests: Iterable[Source]) -> list[str]:
    """Tests that replace parts of the program, where that is more than one in a thousand lines."""
    lines, found = 0, []
    for source in tests:
        lines += len(source.text.splitlines())
        for node in ast.walk(source.tree):
            match node:
                case ast.Attribute(
                    value=ast.Name(id="monkeypatch" | "mock" | "mocker"), attr="setattr" | "patch" | "setitem"
                ):
                    found.append(f"{source.path}:{node.lineno} patches")
                case _:
                    pass
    return found if len(found) * 1000 > lines else []


def sleeps(tests: Iterable[Source]) -> list[str]:
    """Tests that wait for time to pass. Simulators and benchmarks may be slow on purpose."""
    return [
        f"{source.path}:{node.lineno} sleeps"
        for source in tests
        if not source.name.startswith(("tests.simulators.", "tests.benchmarks."))
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and _called(node.func) == "sleep"
    ]
