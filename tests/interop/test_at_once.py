"""Several signers of one image at the same time, on each registry: everybody's signature is there afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from imgtrust.commands.many import Failed
from imgtrust.commands.sign import sign_images
from imgtrust.reference import Reference
from imgtrust.stores import open_store
from imgtrust.stores.discovery import discover
from imgtrust.trust.roots import TrustRoot
from imgtrust.trust.signatures import VerifiedSignature, assess
from tests.simulators.gate import NOON, Publisher
from tests.simulators.images import image, push

if TYPE_CHECKING:
    from tests.fixtures.registries import Registry

pytestmark = pytest.mark.interop

WRITERS = 8


@pytest.mark.parametrize("legacy", [False, True], ids=["bundle", "legacy"])
def test_eight_signers_at_once_lose_no_signature(registry: Registry, *, legacy: bool) -> None:
    publishers = [Publisher(f"signer {number}") for number in range(WRITERS)]
    name = f"{registry.fresh('atonce')}:1"
    with closing(open_store(Reference.parse(name).repository)) as store:
        root = push(store, image("app"), "1")
    with ThreadPoolExecutor(WRITERS) as pool:
        # Each call opens a store of its own, as processes do.
        made = list(pool.map(lambda each: list(sign_images([name], each.signing(legacy=legacy))), publishers))
    assert not [outcome for outcomes in made for outcome in outcomes if isinstance(outcome, Failed)]
    with closing(open_store(Reference.parse(name).repository)) as store:
        found = discover(store, root)
    assert found.unread == ()
    trust = TrustRoot(tuple(each.trusted for each in publishers))
    believed = [assess(evidence, trust, at=NOON) for evidence in found.evidence]
    assert len({each.identity for each in believed if isinstance(each, VerifiedSignature)}) == WRITERS


def test_many_images_of_one_repository_are_signed_at_once(registry: Registry) -> None:
    repository, release = registry.fresh("many"), Publisher("release")
    with closing(open_store(Reference.parse(f"{repository}:1").repository)) as store:
        for number in range(40):
            push(store, image(f"app {number}", layers=1, size=50), f"t{number}")
    names = [f"{repository}:t{number}" for number in range(40)]
    outcomes = list(sign_images(names, release.signing()))
    assert [str(outcome.error) for outcome in outcomes if isinstance(outcome, Failed)] == []
    assert len(outcomes) == 40
