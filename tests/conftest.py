"""What all tests share: real registries, other tools, vectors, and the table of the interoperability matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

pytest_plugins = [
    "tests.fixtures.peers",
    "tests.fixtures.registries",
    "tests.fixtures.places",
    "tests.fixtures.times",
    "tests.fixtures.sigstore",
    "tests.fixtures.matrix",
]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Keep the log of each registry that a failed test used in its report."""
    from tests.fixtures.servers import Server  # noqa: PLC0415 - pytest rewrites its plugins before anyone imports them

    report: Any = yield
    if call.excinfo is not None and not report.skipped:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(server := getattr(value, "server", None), Server):
                report.sections.append((f"log of {name}", server.tail()))
    return report
