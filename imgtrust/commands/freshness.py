"""How old the Sigstore trusted roots of a policy are, as far as anybody vouched for them.

Knows the TUF metadata that lies beside a trusted root; fetches nothing and believes nothing: an old root is used as it
is, and said.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.commands.anchors import packaged_tuf_root
from imgtrust.commands.files import read_input
from imgtrust.errors import InputFileError
from imgtrust.policy.values import PUBLIC_GOOD, KeylessSigner

if TYPE_CHECKING:
    from pathlib import Path

    from imgtrust.policy.values import Policy

__all__ = ["Vouched", "old_roots", "vouched_roots"]

Vouched = tuple[str, datetime]
"""A trusted root as its policy names it, and until when its TUF repository vouched for it."""

_ROLES: Final = ("root", "targets")
"""Who vouches for the file itself; the shorter lives of ``snapshot`` and ``timestamp`` guard the way to it."""


def vouched_roots(policy: Policy, base: Path) -> tuple[Vouched, ...]:
    """The trusted roots of a policy of which that is known: the packaged one, and those that ``trust update`` wrote.

    The packaged one counts where identities are judged by it. As the root that flags mean when they ask for dates of
    keys it was named by nobody. ``base`` is the directory that a relative path starts from.
    """
    paths = {item.name: item.trusted_root for item in policy.sigstore}
    used = [paths.get(item.sigstore, PUBLIC_GOOD) for item in policy.signers if isinstance(item, KeylessSigner)]
    if policy.time.trusted_root not in {None, PUBLIC_GOOD}:
        used.append(policy.time.trusted_root)
    found = ((name, _vouched(name, base)) for name in dict.fromkeys(used))
    return tuple((name, until) for name, until in found if until is not None)


def old_roots(vouched: tuple[Vouched, ...], at: datetime) -> tuple[str, ...]:
    """What a report says of those for which nobody vouches any more at a time."""
    return tuple(
        f"whether the Sigstore trusted root {name} is the newest: it was vouched for until {until:%Y-%m-%d}; imgtrust "
        "trust update fetches a newer one"
        for name, until in vouched
        if until < at
    )


def _vouched(name: str, base: Path) -> datetime | None:
    """The earliest end of the metadata of a trusted root; None where there is none that can be read."""
    try:
        if name == PUBLIC_GOOD:
            return _expires(packaged_tuf_root(PUBLIC_GOOD))
        folder = (base / name).parent / "tuf" / "metadata"
        return min(_expires(read_input(folder / f"{role}.json", "the TUF metadata")) for role in _ROLES)
    except (InputFileError, ValueError, TypeError, KeyError):
        return None


def _expires(metadata: bytes) -> datetime:
    """The end that metadata says of itself (TUF specification 4.2.1); unverified, for it only lets us say more."""
    until = datetime.fromisoformat(strict_json.loads(metadata)["signed"]["expires"])
    if until.tzinfo is None:
        message = "a time without a zone"
        raise ValueError(message)
    return until
