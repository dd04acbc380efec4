"""A policy file becomes a ``Policy``, or one error with its line. Pure.

Knows what a policy means as a whole: that signers exist, counts can be reached and limits leave something over. Knows
nothing of files: it is given the bytes and the name to call them by.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Final, TypeVar, cast

from imgtrust.errors import PolicyError, UsageError
from imgtrust.policy.fields import Fault, Fields, nearest, read_table
from imgtrust.policy.flags import TRUSTED_SOURCES
from imgtrust.policy.lines import locate
from imgtrust.policy.scopes import canonical_pattern, check_pattern
from imgtrust.policy.signers import read_instance, read_signer, read_window
from imgtrust.policy.values import (
    EvidenceRule,
    NotarySigner,
    Policy,
    PublishRule,
    Scope,
    SignatureRule,
    TimeTrust,
    distinct,
)
from imgtrust.policy.writing import SOURCE_NAMES

if TYPE_CHECKING:
    from datetime import timedelta

    from imgtrust.policy.lines import KeyPath
    from imgtrust.policy.values import Signer

__all__ = ["MAX_POLICY_BYTES", "read_policy"]

MAX_POLICY_BYTES: Final = 1024 * 1024
"""The largest policy file that is read."""

_ERROR_LINE: Final = re.compile(r" \(at line ([0-9]+), column [0-9]+\)$|( \(at end of document\))$")
_LONG_KEY: Final = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}"""
)
"""A key with more dots than any; to read one costs the square of its length, in ``tomllib`` as well."""

_SOURCES: Final = {name: source for source, name in SOURCE_NAMES.items()}

T = TypeVar("T")


def read_policy(text: bytes, source: str) -> Policy:
    """Read a policy file; ``source`` is its name, for messages.

    Raises:
        PolicyError: it is not TOML, has an unknown key, or asks for what nothing can satisfy; with the line where the
            fault stands.
    """
    if len(text) > MAX_POLICY_BYTES:
        raise _error(source, None, f"larger than {MAX_POLICY_BYTES} bytes, which no policy is")
    try:
        decoded = text.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as exc:
        raise _error(source, text.count(b"\n", 0, exc.start) + 1, "not UTF-8") from exc
    if (found := _LONG_KEY.search(decoded)) is not None:
        raise _error(source, decoded.count("\n", 0, found.start()) + 1, "a name with more than 32 dots")
    try:
        data, lines = tomllib.loads(decoded), locate(decoded)
    except RecursionError as exc:
        raise _error(source, None, "nested too deep") from exc
    except ValueError as exc:  # a TOMLDecodeError, or a number with too many digits
        raise _syntax(source, decoded, str(exc)) from exc
    try:
        return _policy(read_table("", data, ()))
    except Fault as exc:
        path = exc.path
        while path and path not in lines:
            path = path[:-1]
        raise _error(source, lines.get(path), str(exc)) from exc


def _error(source: str, line: int | None, fault: str) -> PolicyError:
    where = "" if line is None else f", line {line}"
    return PolicyError(f"cannot read the policy {source}{where}: {fault}", line=line)


def _syntax(source: str, text: str, fault: str) -> PolicyError:
    """What ``tomllib`` says, with the line where it says it."""
    found = _ERROR_LINE.search(fault)
    if found is None:
        return _error(source, None, f"not TOML: {fault}")
    line = int(found[1]) if found[1] else text.count("\n") + 1
    return _error(source, line, f"not TOML: {fault[: found.start()]}")


def _policy(fields: Fields) -> Policy:
    instances = tuple(
        read_instance(name, item) for name, item in cast("dict[str, Fields]", fields.get("sigstore", {})).items()
    )
    known = tuple(item.name for item in instances)
    signers: dict[str, Signer] = {
        name: read_signer(name, item, known) for name, item in cast("dict[str, Fields]", fields["signers"]).items()
    }
    time = cast("Fields", fields.get("time", {}))
    scopes: list[Scope] = []
    patterns: dict[str, int] = {}
    for number, item in enumerate(cast("tuple[Fields, ...]", fields["scopes"])):
        path: KeyPath = ("scopes", number)
        scope = _scope(item, path, signers)
        _claim(patterns, scope, number)
        if any(other.name == scope.name for other in scopes):
            raise Fault((*path, "name"), f'two scopes have the name "{scope.name}": give one of them another name')
        scopes.append(scope)
    return Policy(
        tuple(signers.values()),
        tuple(scopes),
        TimeTrust(cast("tuple[str, ...]", time.get("tsa_roots", ())), cast("str | None", time.get("trusted_root"))),
        instances,
    )


def _claim(patterns: dict[str, int], scope: Scope, number: int) -> None:
    """One pattern in two scopes would leave it open which one decides."""
    for position, pattern in enumerate(scope.images):
        if patterns.setdefault(canonical_pattern(pattern), number) != number:
            told = f'another scope names "{pattern}" too: one pattern, one scope'
            raise Fault(("scopes", number, "images", position), told)


def _scope(fields: Fields, path: KeyPath, signers: dict[str, Signer]) -> Scope:
    images = _patterns(fields, "images", path)
    evidence = cast("tuple[Fields, ...]", fields.get("evidence", ()))
    return Scope(
        name=cast("str", fields.get("name", images[0])),
        images=images,
        signatures=_signatures(cast("Fields", fields["signatures"]), (*path, "signatures"), signers),
        promote_to=_patterns(fields, "promote_to", path),
        publish=_publish(cast("Fields", fields.get("publish", {})), (*path, "publish")),
        evidence=tuple(_evidence(item, (*path, "evidence", n), signers) for n, item in enumerate(evidence)),
    )


def _patterns(fields: Fields, name: str, path: KeyPath) -> tuple[str, ...]:
    patterns = cast("tuple[str, ...]", fields.get(name, ()))
    for number, pattern in enumerate(patterns):
        try:
            check_pattern(pattern)
        except UsageError as exc:
            raise Fault((*path, name, number), f'"{name}": {exc}') from exc
    return patterns


def _names(fields: Fields, name: str, path: KeyPath, signers: dict[str, Signer]) -> tuple[str, ...]:
    """Names of signers, each of which exists."""
    names = cast("tuple[str, ...]", fields[name])
    for number, item in enumerate(names):
        if item not in signers:
            told = f'"{name}" names "{item}", which is no signer of this policy{nearest(item, tuple(signers))}'
            raise Fault((*path, name, number), told)
    return names


def _signatures(fields: Fields, path: KeyPath, signers: dict[str, Signer]) -> SignatureRule:
    names = _names(fields, "any_of", path, signers)
    count = cast("int", fields.get("count", 1))
    found = len({distinct(signers[name]) for name in names})
    if count > found:
        raise Fault((*path, "count"), f'"count" asks for {count} distinct signers, "any_of" names {found}')
    return SignatureRule(names, count)


def _publish(fields: Fields, path: KeyPath) -> PublishRule:
    names = cast("tuple[str, ...]", fields.get("trusted_time", ()))
    max_age = cast("timedelta | None", fields.get("max_age"))
    min_soak = cast("timedelta | None", fields.get("min_soak"))
    if max_age is not None and min_soak is not None and min_soak > max_age:
        raise Fault(
            (*path, "min_soak"), '"min_soak" is longer than "max_age": no image is old and young enough at once'
        )
    sources = tuple(_SOURCES[name] for name in names)
    if fields and not sources:
        sources = TRUSTED_SOURCES
    return PublishRule(sources, max_age, min_soak, *read_window(fields, path))


def _evidence(fields: Fields, path: KeyPath, signers: dict[str, Signer]) -> EvidenceRule:
    from imgtrust.predicates.types import resolve  # noqa: PLC0415 - only where evidence is asked for

    kind, builder = cast("str", fields["type"]), cast("str | None", fields.get("builder"))
    try:
        types = resolve(kind)
    except UsageError as exc:
        raise Fault((*path, "type"), f'"type": {exc}') from exc
    if builder is not None and types.isdisjoint(resolve("slsa-provenance")):
        raise Fault((*path, "builder"), f'"builder" is asked of slsa-provenance only, a {kind} names none')
    names = _names(fields, "signed_by", path, signers)
    if all(isinstance(signers[name], NotarySigner) for name in names):
        told = '"signed_by" names Notary signers only: Notary signs images, it makes no attestations'
        raise Fault((*path, "signed_by"), told)
    return EvidenceRule(kind, names, cast("timedelta | None", fields.get("max_age")), builder)
