"""How stores are reached: the values that a command line or a caller decides, handed over once. Pure.

Knows no file and no variable by itself: the environment comes in as a mapping, read by ``cli`` (or the caller).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NO_ENVIRONMENT", "StoreOptions"]

NO_ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Options of one endpoint; source and destination of a promotion have one each (accounts and roles may differ).

    ``plain_http``: hosts (with port) that speak plain HTTP although they are not loopback. ``ca_file``,
    ``client_cert``, ``client_key``: PEM paths. ``timeout``: seconds for one answer of a registry. ``deadline``:
    a ``time.monotonic()`` after which no retry is begun. ``environment``: where DOCKER_CONFIG, AWS_* and the like
    are looked up. ``aws_role`` and ``aws_profile``: for ECR, this endpoint only. ``jobs``: threads.
    """

    plain_http: frozenset[str] = frozenset()
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    timeout: float = 30.0
    deadline: float | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: NO_ENVIRONMENT, repr=False)
    aws_role: str | None = None
    aws_profile: str | None = None
    jobs: int = 8
