"""The simulated registry as rows of the contract suite: with and without Referrers API, paged, Basic and Bearer.

What the simulator keeps can be changed behind a store's back, so these rows show what the real registries cannot.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from imgtrust.reference import RegistryRepository
from imgtrust.stores.options import StoreOptions
from imgtrust.stores.registry import RegistryStore
from tests.contract.implementations import Implementation
from tests.simulators.clients import Clock
from tests.simulators.registry import DOCKER_REGISTRY, Behaviour, RegistrySimulator
from tests.simulators.tokens import TokenServer

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from imgtrust.reference import Digest
    from imgtrust.stores.port import Store

__all__ = ["SIMULATED"]

_USER: Final = ("robot", "correct horse")
_running: Final[dict[str, RegistrySimulator]] = {}


def _start(
    behaviour: Behaviour, *, basic: bool = False, bearer: bool = False
) -> Callable[[pytest.FixtureRequest], Callable[[str], Store]]:
    """Starts a simulator for one test."""

    def begin(request: pytest.FixtureRequest) -> Callable[[str], Store]:
        stack = ExitStack()
        request.addfinalizer(stack.close)
        tokens = stack.enter_context(TokenServer(dict((_USER,)))) if bearer else None
        registry = stack.enter_context(RegistrySimulator(behaviour, user=_USER if basic else None, tokens=tokens))
        _running[registry.host] = registry
        stack.callback(_running.pop, registry.host)
        folder = request.getfixturevalue("tmp_path")
        (folder / "config.json").write_text(
            f'{{"auths": {{"{registry.host}": {{"username": "{_USER[0]}", "password": "{_USER[1]}"}}}}}}'
        )
        options = StoreOptions(environment={"DOCKER_CONFIG": str(folder)})
        return lambda path: RegistryStore(RegistryRepository(registry.host, path), options, waiter=Clock())

    return begin


def _tamper(store: Store, digest: Digest, data: bytes | None) -> None:
    repository = store.repository
    assert isinstance(repository, RegistryRepository)
    held = _running[repository.host].held(repository.path)
    if str(digest) in held.manifests:
        media_type, _ = held.manifests.pop(str(digest))
        if data is not None:
            held.manifests[str(digest)] = (media_type, data)
        return
    del held.blobs[str(digest)]
    if data is not None:
        held.blobs[str(digest)] = data


SIMULATED: Final = (
    Implementation("simulator", _start(Behaviour()), _tamper, needs_children=True),
    Implementation("simulator-without-referrers", _start(DOCKER_REGISTRY), _tamper, needs_children=True),
    Implementation("simulator-paged", _start(Behaviour(page=2)), _tamper, needs_children=True),
    Implementation("simulator-chunked", _start(Behaviour(chunk_minimum=64)), _tamper, needs_children=True),
    Implementation("simulator-basic", _start(Behaviour(), basic=True), _tamper, needs_children=True),
    Implementation("simulator-bearer", _start(Behaviour(), bearer=True), _tamper, needs_children=True),
)
"""One row for each behaviour."""
