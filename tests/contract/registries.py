"""The real registries as rows of the contract suite: three programs, plain and TLS, without and with users.

Each test gets names of its own on a shared server, so that tests may run side by side.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from imgtrust.reference import RegistryRepository
from imgtrust.stores import StoreOptions, open_store
from tests.contract.implementations import Implementation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from imgtrust.stores.port import Store
    from tests.fixtures.registries import Registry

__all__ = ["REGISTRIES"]


def _start(fixture: str) -> Callable[[pytest.FixtureRequest], Callable[[str], Store]]:
    """Opens repositories of the registry that a fixture starts."""

    def begin(request: pytest.FixtureRequest) -> Callable[[str], Store]:
        registry: Registry = request.getfixturevalue(fixture)
        folder: Path = request.getfixturevalue("tmp_path")
        authority = registry.certificate_authority
        options = StoreOptions(
            ca_file=None if authority is None else str(authority),
            environment={"DOCKER_CONFIG": str(registry.docker_config(folder))},
        )
        alone = uuid.uuid4().hex[:12]
        return lambda path: open_store(RegistryRepository(registry.host, f"t{alone}/{path}"), options)

    return begin


_DOCKER: Final = {
    "test_a_blob_is_no_manifest": "it answers 500 where a blob is asked for as a manifest",
}
_GGCR: Final = {
    "test_a_blob_streams_from_one_repository_to_another": "it reads a blob under its lock, waiting for itself",
    "test_what_is_attached_is_listed_with_type_and_annotations": "it lists the media type of the config in its place",
}

REGISTRIES: Final = (
    *(
        Implementation(name, _start(name), cannot=_DOCKER)
        for name in ("docker_registry", "docker_registry_tls", "docker_registry_basic", "docker_registry_token")
    ),
    *(Implementation(name, _start(name), cannot=_GGCR) for name in ("ggcr_registry", "ggcr_registry_tls")),
    *(Implementation(name, _start(name), sha512=False) for name in ("cue_registry", "cue_registry_tls")),
)
"""One row for each, named as its fixture; what a registry cannot do is said, with the reason."""
