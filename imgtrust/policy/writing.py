"""A policy written as TOML, which ``policy.document`` reads back to the same value. Pure.

Knows the shape of the file; leaves out what is the default, so that what stands there means something.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from imgtrust.policy.durations import show_duration, show_time
from imgtrust.policy.values import KeylessSigner, KeySigner
from imgtrust.trust.times import TimeSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from imgtrust.policy.values import EvidenceRule, Policy, PublishRule, Scope, Signer

__all__ = ["SOURCE_NAMES", "quote", "write_policy"]

SOURCE_NAMES: Final = {
    TimeSource.RFC3161: "tsa",
    TimeSource.REKOR: "rekor",
    TimeSource.SIGNING_AUTHORITY: "signing-authority",
}
"""What a policy calls the sources of trusted times."""

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
_UNPRINTABLE: Final = re.compile('["\\\\\x00-\x1f\x7f]')
_PEM: Final = "-----BEGIN"


def write_policy(policy: Policy) -> str:
    """The text of a policy file; ``read_policy`` gives the same policy from it."""
    blocks = [f"version = {policy.version}\n"]
    time = _lines(
        ("tsa_roots", _texts(policy.time.tsa_roots)),
        ("trusted_root", _text(policy.time.trusted_root)),
    )
    if time:
        blocks.append(f"[time]\n{time}")
    blocks += [
        f"[sigstore.{_name(item.name)}]\ntrusted_root = {quote(item.trusted_root)}\n" for item in policy.sigstore
    ]
    blocks += [_signer(signer) for signer in policy.signers]
    blocks += [_scope(scope) for scope in policy.scopes]
    return "\n".join(blocks)


def quote(text: str) -> str:
    """A TOML basic string."""
    return '"' + _UNPRINTABLE.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}", text) + '"'


def _signer(signer: Signer) -> str:
    match signer:
        case KeySigner():
            lines = _lines(
                ("key", _key(signer.key)),
                ("not_before", _time(signer.not_before)),
                ("not_after", _time(signer.not_after)),
            )
        case KeylessSigner():
            lines = _lines(
                ("sigstore", quote(signer.sigstore)),
                ("issuer", _text(signer.issuer)),
                ("issuer_regexp", _text(signer.issuer_regexp)),
                ("identity", _text(signer.identity)),
                ("identity_regexp", _text(signer.identity_regexp)),
                *((name, quote(value)) for name, value in signer.extensions),
                ("log", None if signer.log else "false"),
            )
        case _:
            profile = signer.identities[0] if signer.notary == "aws-signer" and len(signer.identities) == 1 else None
            lines = _lines(
                ("notary", quote(signer.notary)),
                ("roots", _texts(signer.roots)),
                ("identities", None if profile else _texts(signer.identities)),
                ("profile", _text(profile)),
                ("revocation", None if signer.revocation == "enforce" else quote(signer.revocation)),
            )
    return f"[signers.{_name(signer.name)}]\n{lines}"


def _name(name: str) -> str:
    """A name as the last part of a table's header."""
    return name if _BARE.fullmatch(name) else quote(name)


def _scope(scope: Scope) -> str:
    rule = scope.signatures
    text = "[[scopes]]\n" + _lines(
        ("name", None if scope.name == scope.images[0] else quote(scope.name)),
        ("images", _texts(scope.images)),
        ("promote_to", _texts(scope.promote_to)),
        ("signatures", f"{{ any_of = {_texts(rule.any_of)}, count = {rule.count} }}"),
    )
    publish = _publish(scope.publish)
    if publish:
        text += f"\n[scopes.publish]\n{publish}"
    return text + "".join(f"\n[[scopes.evidence]]\n{_evidence(item)}" for item in scope.evidence)


def _publish(rule: PublishRule) -> str:
    return _lines(
        ("trusted_time", _texts([SOURCE_NAMES[source] for source in rule.trusted_time])),
        ("max_age", _duration(rule.max_age)),
        ("min_soak", _duration(rule.min_soak)),
        ("not_before", _time(rule.not_before)),
        ("not_after", _time(rule.not_after)),
    )


def _evidence(rule: EvidenceRule) -> str:
    return _lines(
        ("type", quote(rule.type)),
        ("signed_by", _texts(rule.signed_by)),
        ("max_age", _duration(rule.max_age)),
        ("builder", _text(rule.builder)),
    )


def _lines(*pairs: tuple[str, str | None]) -> str:
    """``key = value`` for each that has a value."""
    return "".join(f"{name} = {value}\n" for name, value in pairs if value is not None)


def _texts(items: Sequence[str]) -> str | None:
    """A list of strings; nothing where it is empty, which is the default of every list that may be."""
    return None if not items else f"[{_join(items)}]"


def _join(items: Iterable[str]) -> str:
    return ", ".join(quote(item) for item in items)


def _text(text: str | None) -> str | None:
    return None if text is None else quote(text)


def _key(key: str) -> str:
    """PEM stands over several lines, as people know it, wherever that is the same text."""
    readable = key.startswith(_PEM) and not _UNPRINTABLE.search(key.replace("\n", ""))
    return f'"""\n{key}"""' if readable else quote(key)


def _duration(duration: timedelta | None) -> str | None:
    return None if duration is None else quote(show_duration(duration))


def _time(time: datetime | None) -> str | None:
    return None if time is None else show_time(time)
