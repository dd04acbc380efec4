"""The real registries come up, and the other tools reach them: what every other test of this folder stands on."""

from __future__ import annotations

import ssl
import tarfile
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.peers import Peer
    from tests.fixtures.registries import Registry

pytestmark = pytest.mark.interop


def test_each_registry_answers_on_its_own_port(registry: Registry) -> None:
    with urllib.request.urlopen(f"http://{registry.host}/v2/", timeout=5) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("name", ["docker_registry_tls", "ggcr_registry_tls", "cue_registry_tls"])
def test_each_registry_speaks_tls_under_the_throw_away_authority(name: str, request: pytest.FixtureRequest) -> None:
    registry: Registry = request.getfixturevalue(name)
    context = ssl.create_default_context(cafile=str(registry.certificate_authority))
    address = f"https://{registry.host}/v2/"
    with urllib.request.urlopen(address, timeout=5, context=context) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("name", ["docker_registry_basic", "docker_registry_token"])
def test_a_registry_with_users_refuses_strangers_and_takes_peers_with_credentials(
    name: str, crane: Peer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    registry: Registry = request.getfixturevalue(name)
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(f"http://{registry.host}/v2/", timeout=5)
    refused.value.close()
    config = registry.docker_config(tmp_path)
    with tarfile.open(tmp_path / "layer.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("empty"))
    append = ("append", "--new_layer", tmp_path / "layer.tar", "--new_tag", f"{registry.fresh()}:1")
    assert crane(*append, check=False).returncode != 0
    crane(*append, env={"DOCKER_CONFIG": str(config)})
