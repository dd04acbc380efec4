"""Runs tests over a broken module: a fork for each mutant, in which the module is imported as the mutant has it.

Which tests run is measured before: those that come by the line. A test that hangs counts as one that noticed.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import CodeType, ModuleType

    from tests.mutants.mutations import Mutant

__all__ = ["ROOT", "Covering", "Outcome", "cover", "inside_functions", "run_all"]

ROOT: Final = Path(__file__).resolve().parents[2]
_KNOWN: Final = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""A plugin that an earlier run in the same process has imported is no fault of a mutant."""
_QUIET: Final = (
    *_KNOWN,
    "-q",
    "-x",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-p",
    "no:cov",
    "-p",
    "no:hypothesispytest",
    "--no-header",
    "--tb=no",
)
_NOTICED: Final = int(pytest.ExitCode.TESTS_FAILED)
_BROKEN: Final = int(pytest.ExitCode.INTERRUPTED)
"""A file of tests that could not even be imported."""
_MEMORY: Final = 4 << 30
"""Address space of one mutant in bytes: one that makes an endless list ends early."""
LIMITS: Final = "tests/unit/test_limits.py"
_FIRST: Final = 25
"""How many of the tests that come by run first; most mutants fall there."""

_SHARED: Final = (
    "_pytest.assertion.rewrite",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509.oid",
    "http.server",
    "hypothesis",
    "hypothesis.internal.observability",
    "hypothesis.strategies",
    "nacl.secret",
    "rfc3161_client",
    "sigstore.models",
    "sigstore.verify",
    "ssl",
    "typer",
    "urllib3",
)

Covering = dict[str, dict[int, tuple[str, ...]]]
"""Path of a module, line, and the tests that come by."""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: ``killed``, ``hung``, ``survived``, ``uncovered`` (no test comes by) or ``not run``.

    ``hung`` was ended by the clock, which is noticed too. ``not run`` means that pytest found no test by its name:
    somebody changed the tests meanwhile.
    """

    mutant: Mutant = field(repr=False)
    outcome: str


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads one module from code that is given."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the loader protocol
        """The code of the mutant."""
        return self._code


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module: the mutant's."""

    def __init__(self, mutant: Mutant) -> None:
        parts = mutant.path.removesuffix(".py").split("/")
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self._file = str(ROOT / mutant.path)
        self._code = mutant.code

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the finder protocol
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """The mutant for its own name, nothing for any other."""
        if fullname != self.name:
            return None
        loader = _Loader(fullname, self._file, self._code)
        return importlib.util.spec_from_file_location(fullname, self._file, loader=loader)


def _warm_up() -> None:
    """Import what is not ours before the forks: they share it, and each starts in less time."""
    for name in _SHARED:
        with suppress(ImportError):
            importlib.import_module(name)


def cover(tests: Sequence[str], modules: Iterable[str], folder: Path) -> tuple[Covering, float]:
    """Run the tests as they are, in a fork, and note which test comes by which line; and how long it took.

    Raises:
        RuntimeError: a test fails without any mutant.
    """
    data_file = folder / "coverage"
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        _silence()
        flags = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--cov=imgtrust", "--cov-context=test")
        os.environ["COVERAGE_FILE"] = str(data_file)
        os._exit(int(pytest.main([*flags, "--cov-report=", *tests])))
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        message = f"the tests do not pass as they are: {' '.join(tests)}"
        raise RuntimeError(message)
    import coverage  # noqa: PLC0415 - the fork measures with its own

    data = coverage.CoverageData(str(data_file))
    data.read()
    covering: Covering = {}
    for module in modules:
        lines = data.contexts_by_lineno(str(ROOT / module))
        covering[module] = {line: _tests(contexts) for line, contexts in lines.items()}
    return covering, time.perf_counter() - began


def _tests(contexts: Iterable[str]) -> tuple[str, ...]:
    """The tests that contexts name (``path::test|run``), each once; tests of examples before tests of properties."""
    names = {context.partition("|")[0] for context in contexts if context}
    return tuple(sorted(names, key=lambda name: ("/property/" in name, name)))


def run_all(
    wanted: Iterable[Mutant], covering: Covering, jobs: int, limit: float, tell: Callable[[Outcome], None]
) -> list[Outcome]:
    """Run every mutant, ``jobs`` at a time; one that runs longer than ``limit`` seconds is taken as noticed.

    The tests that noticed the last mutants of a module run first.
    """
    _warm_up()
    running: dict[int, Mutant] = {}
    outcomes: list[Outcome] = []
    keen: dict[str, list[str]] = defaultdict(list)

    folder = Path(tempfile.mkdtemp(prefix="imgtrust-mutants-"))

    def note(mutant: Mutant, outcome: str) -> None:
        """Keep an outcome and tell it."""
        outcomes.append(Outcome(mutant, outcome))
        tell(outcomes[-1])

    def reap() -> None:
        """Wait for one of the running."""
        child, status = os.waitpid(-1, 0)
        code = os.waitstatus_to_exitcode(status)
        found = {0: "survived", _NOTICED: "killed", _BROKEN: "killed"}.get(code, "not run")
        mutant, told = running.pop(child), folder / str(child)
        if told.exists():
            test = told.read_text(encoding="utf-8")
            keen[mutant.path] = [test, *(each for each in keen[mutant.path] if each != test)]
            told.unlink()
        note(mutant, "hung" if code < 0 else found)  # a signal ends one that hangs

    for mutant in wanted:
        tests = _chosen(mutant, covering)
        if not tests:
            note(mutant, "uncovered")
            continue
        while len(running) >= jobs:
            reap()
        child = os.fork()
        if child == 0:
            first = [test for test in keen[mutant.path] if test in tests]
            _test(mutant, [*first, *(test for test in tests if test not in first)], limit, folder)
        running[child] = mutant
    while running:
        reap()
    folder.rmdir()
    return outcomes


def _chosen(mutant: Mutant, covering: Covering) -> tuple[str, ...]:
    """The tests that come by the line; for one that only runs at import, all of its module, or of all modules.

    What runs at import is measured for the test that happens to import the module first, which proves nothing. The test
    that holds every limit against its number comes by no line of its own, and is run for what runs at import.
    """
    lines = covering.get(mutant.path, {})
    if mutant.line in inside_functions(mutant.path):
        return lines.get(mutant.line, ())
    mine = {test for found in lines.values() for test in found}
    every = mine or {test for module in covering.values() for found in module.values() for test in found}
    return (LIMITS, *sorted(every))


@functools.cache
def inside_functions(path: str) -> frozenset[int]:
    """The lines of a module that run when a function is called, not when the module is imported."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    bodies = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(
        line
        for node in bodies
        for statement in node.body
        for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    )


class _Teller:
    """Tells in a file which test noticed: it is likely to notice the next mutant of the module, and runs first."""

    def __init__(self, file: Path) -> None:
        """The file is written once at most."""
        self._file = file

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Pytest's own name for this."""
        if report.failed:
            self._file.write_text(report.nodeid, encoding="utf-8")


def _test(mutant: Mutant, tests: Sequence[str], limit: float, folder: Path) -> None:
    """In a fork: import the mutant and run the tests; ends the process with 0 only if nobody noticed."""
    signal.alarm(int(limit))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    _silence()
    finder = _Finder(mutant)
    sys.meta_path.insert(0, finder)
    try:
        importlib.import_module(finder.name)
    except BaseException:  # noqa: BLE001 - whatever it is, everybody notices
        os._exit(_NOTICED)
    status = 0
    for part in (tests[:_FIRST], tests[_FIRST:]):
        if part and status == 0:
            status = int(pytest.main([*_QUIET, *part], plugins=[_Teller(folder / str(os.getpid()))]))
    os._exit(status)


def _silence() -> None:
    """Send what a fork says nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
