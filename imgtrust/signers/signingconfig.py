"""Where the services of a Sigstore instance are: its signing config. Pure.

Knows protobuf-specs ``sigstore_trustroot.proto``, ``SigningConfig`` v0.2, and which of the services it lists are used;
asks none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from imgtrust.errors import InputFileError, Refused
from imgtrust.formats.members import Members, read_object
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["MAX_CONFIG_BYTES", "LogService", "Services", "read_signing_config"]

MAX_CONFIG_BYTES: Final = 1024 * 1024
"""The largest signing config that is read."""

_MEDIA_TYPE: Final = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
_MAX_SERVICES: Final = 64
_LOG_VERSIONS: Final = frozenset({1, 2})
_FIRST: Final = frozenset({1})


@dataclass(frozen=True, slots=True)
class LogService:
    """A transparency log to write to: its address, and 1 or 2 for the generation of its API (0: not known)."""

    url: str
    version: int


@dataclass(frozen=True, slots=True)
class Services:
    """The services that a signature is made with."""

    certificates: str | None
    identities: str | None
    logs: tuple[LogService, ...] = ()
    stampers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Service:
    url: str
    version: int
    start: datetime
    operator: str


def read_signing_config(data: bytes, name: str, *, at: datetime) -> Services:
    """The services that a signing config chooses now; ``name`` names the file in messages.

    Of each operator the services of the highest version that is spoken here count, the newest first. ``ANY`` takes one,
    ``EXACT`` the number that is given, ``ALL`` all of them.

    Raises:
        InputFileError: not a signing config that can be read whole, or one that asks for more than it lists.
    """
    try:
        members = read_object(data, name, RefusalCode.BUNDLE_MALFORMED)
        media_type = members.text("mediaType")
        if media_type != _MEDIA_TYPE:
            message = f"mediaType is {media_type[:80]!r}, expected {_MEDIA_TYPE}"
            raise members.refuse(message)
        authorities = _valid(members, "caUrls", _FIRST, at)
        providers = _valid(members, "oidcUrls", _FIRST, at)
        logs = _chosen(members, "rekorTlogUrls", "rekorTlogConfig", _LOG_VERSIONS, at)
        stampers = _chosen(members, "tsaUrls", "tsaConfig", _FIRST, at)
    except Refused as exc:
        raise InputFileError(exc.reason) from exc
    return Services(
        authorities[0].url if authorities else None,
        providers[0].url if providers else None,
        tuple(LogService(each.url, each.version) for each in logs),
        tuple(each.url for each in stampers),
    )


def _valid(members: Members, name: str, versions: Collection[int], at: datetime) -> list[_Service]:
    """The services of a list that are in their window and speak a version that is spoken here, the newest first."""
    found = []
    for each in members.children(name, _MAX_SERVICES):
        window = each.child("validFor")
        start, end = (None, None) if window is None else (_time(window, "start"), _time(window, "end"))
        if start is None:
            message = f"a service of {name} has no start of its validity"
            raise members.refuse(message)
        service = _Service(each.text("url"), each.number("majorApiVersion"), start, each.text("operator"))
        if service.version in versions and start <= at and (end is None or at <= end):
            found.append(service)
    return sorted(found, key=lambda one: (one.version, one.start), reverse=True)


def _chosen(members: Members, name: str, config: str, versions: Collection[int], at: datetime) -> tuple[_Service, ...]:
    """What the selector takes of a list: one service of each operator, newest first."""
    services = tuple({each.operator: each for each in reversed(_valid(members, name, versions, at))}.values())[::-1]
    rule = members.child(config)
    selector = "" if rule is None else rule.text("selector")
    if not selector and not services:
        return ()
    match selector:
        case "ALL":
            wanted = len(services)
        case "EXACT":
            wanted = 0 if rule is None else rule.number("count")
        case "ANY":
            wanted = 1
        case _:
            message = f"the selector of {config} is {selector[:40]!r}, expected ANY, ALL or EXACT"
            raise members.refuse(message)
    if len(services) < max(wanted, 1) or not wanted:
        message = f"{config} asks for {wanted or 'no'} services, and {name} has {len(services)} that can be used now"
        raise members.refuse(message)
    return services[:wanted]


def _time(window: Members, name: str) -> datetime | None:
    text = window.text(name)
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        message = f"{name} is {text[:40]!r}, expected a time with a zone (RFC 3339)"
        raise window.refuse(message)
    return when
