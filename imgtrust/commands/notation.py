"""``policy import notation``: a trust policy of notation, with its trust store, becomes the policy that means the same.

Knows notary.md 6; knows what has no equal here, and says it. Nothing is made laxer than it was: what notation only logs
is enforced, and what it skips is left out, so that it is denied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from imgtrust.commands.files import read_input
from imgtrust.commands.notationjson import read_json, read_list, read_object, read_text, read_texts
from imgtrust.commands.notationstores import KINDS, TSA, find_stores, list_certificates, pin_root
from imgtrust.errors import InputFileError
from imgtrust.policy.document import read_policy
from imgtrust.policy.scopes import EVERY_IMAGE
from imgtrust.policy.subjectnames import check_identity
from imgtrust.policy.values import NotarySigner, Policy, PublishRule, Scope, SignatureRule, TimeTrust
from imgtrust.policy.writing import write_policy
from imgtrust.trust.times import TimeSource

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Imported", "import_notation"]

_VERSION: Final = "1.0"
_CHECKS: Final = ("authenticity", "authenticTimestamp", "expiry")
_LEVELS: Final[dict[str, dict[str, str]]] = {
    "strict": dict.fromkeys((*_CHECKS, "revocation"), "enforce"),
    "permissive": {**dict.fromkeys((*_CHECKS, "revocation"), "log"), "authenticity": "enforce"},
    "audit": dict.fromkeys((*_CHECKS, "revocation"), "log"),
}
_SKIP: Final = "skip"
_AWS: Final = "arn:"
"""The name of a trust store, which is that of a folder (notation-go, ``file.IsValidFileName``)."""
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_]+")
_MAX_NAME: Final = 40
_EVERY: Final = "*"
_HOST: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_PART: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_SCOPE: Final = re.compile(rf"{_HOST}(?:\.{_HOST})*(?::[0-9]+)?(?:/{_PART})+", re.ASCII)
"""A whole repository, as notation wants it: a pattern in it would be one here."""
_DOCUMENT: Final = ("version", "trustPolicies")
_STATEMENT: Final = ("name", "registryScopes", "signatureVerification", "trustStores", "trustedIdentities")
_VERIFICATION: Final = ("level", "override", "verifyTimestamp")
_WHEN: Final = ("", "always", "afterCertExpiry")


@dataclass(frozen=True, slots=True)
class Imported:
    """The policy as text (TOML), and in words what of the original it does not say."""

    text: str
    not_carried_over: tuple[str, ...]


@dataclass(slots=True)
class _Import:
    """What has been gathered so far. ``tsa``: the roots of time-stamp authorities by the name of a trust policy."""

    store: Path
    signers: list[NotarySigner] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    tsa: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def import_notation(policy: Path, store: Path) -> Imported:
    """Read ``trustpolicy.json`` and the folder of its trust stores (``truststore``, or the one above or below it).

    Paths in the result are written as ``store`` was.

    Raises:
        InputFileError: a file is not what it should be, or a trust store is absent or empty.
        UsageError: an identity is none.
    """
    document = read_object(read_json(read_input(policy, "the trust policy")), str(policy))
    if document.get("version") != _VERSION:
        message = f"{policy}: version {document.get('version')!r}, expected {_VERSION!r}"
        raise InputFileError(message)
    work = _Import(find_stores(store))
    _note_others(work, str(policy), document, _DOCUMENT)
    statements = read_list(document, "trustPolicies", str(policy))
    if not statements:
        message = f"{policy}: no trustPolicies"
        raise InputFileError(message)
    found = [read_object(item, f"trustPolicies[{number}] of {policy}") for number, item in enumerate(statements)]
    _check_distinct(found, str(policy))
    for number, members in enumerate(found):
        _statement(work, members, f"trustPolicies[{number}] of {policy}")
    if not work.scopes:
        message = f"{policy}: nothing is left to import, for every trust policy in it has level {_SKIP}"
        raise InputFileError(message)
    _note_consequences(work)
    roots = tuple(dict.fromkeys(file for files in work.tsa.values() for file in files))
    made = Policy(tuple(work.signers), tuple(work.scopes), TimeTrust(roots))
    notes = tuple(_one_line(note) for note in work.notes)
    comments = "".join(f"# not carried over: {note}\n" for note in notes)
    text = f"# imported from notation's {_one_line(policy.name)}\n{comments}{write_policy(made)}"
    read_policy(text.encode(), "the imported policy")
    return Imported(text, notes)


def _check_distinct(statements: list[dict[str, Any]], what: str) -> None:
    """A name and a scope are each there once (notary.md 6)."""
    names = [read_text(members, "name", what) for members in statements]
    scopes = [text for members in statements for text in read_texts(members, "registryScopes", what)]
    for kind, texts in (("name", names), ("registry scope", scopes)):
        double = next((text for text in texts if texts.count(text) > 1), None)
        if double is not None:
            message = f"{what}: the {kind} {double[:80]!r} is there twice, and has to be there once"
            raise InputFileError(message)


def _statement(work: _Import, members: dict[str, Any], what: str) -> None:
    """One trust policy: signers for its stores, and one scope."""
    if members.get("globalPolicy") is not None:
        message = f"{what}: a policy for files (globalPolicy); imgtrust judges images, give trustpolicy.oci.json"
        raise InputFileError(message)
    name = read_text(members, "name", what)
    if not name:
        message = f"{what}: it has no name"
        raise InputFileError(message)
    patterns = _patterns(read_texts(members, "registryScopes", what), what)
    verification = read_object(members.get("signatureVerification"), f"signatureVerification of {what}")
    _note_others(work, name, members, _STATEMENT)
    _note_others(work, name, verification, _VERIFICATION)
    actions = _actions(verification, what)
    if actions is None:
        work.skipped.append((name, ", ".join(patterns)))
        return
    work.notes += [
        f"{name}: {check} is only logged by notation; here it is enforced"
        for check in _CHECKS
        if actions[check] != "enforce"
    ]
    by_kind: dict[str, list[str]] = {}
    for entry in read_texts(members, "trustStores", what):
        kind, _, folder = entry.partition(":")
        by_kind.setdefault(kind, []).extend(list_certificates(work.store, kind, folder, what))
    identities = read_texts(members, "trustedIdentities", what)
    if len(identities) > 1 and _EVERY in identities:
        message = f"{what}: the identity {_EVERY!r} stands beside others; alone it is anybody"
        raise InputFileError(message)
    made = _signers(name, by_kind, identities, actions["revocation"], what)
    carried = {identity for signer in made for identity in signer.identities}
    work.notes += [
        f"{name}: the identity {identity} is of none of its trust stores, so that nobody has it"
        for identity in identities
        if identity not in carried
    ]
    work.signers += [_unlike(signer, work.signers) for signer in made]
    names = tuple(signer.name for signer in work.signers[len(work.signers) - len(made) :])
    work.scopes.append(
        Scope(_one_line(name), patterns, SignatureRule(names), publish=_publish(work, name, by_kind, actions))
    )


def _patterns(scopes: list[str], what: str) -> tuple[str, ...]:
    """Registry scopes as images of a scope: whole repositories, or all there are."""
    if scopes == [_EVERY]:
        return (EVERY_IMAGE,)
    for scope in scopes:
        if _SCOPE.fullmatch(scope) is None:
            message = (
                f"{what}: the registry scope {scope[:80]!r} is no repository (HOST/REPOSITORY), nor {_EVERY!r} alone"
            )
            raise InputFileError(message)
    return tuple(scopes)


def _note_others(work: _Import, where: str, members: dict[str, Any], known: tuple[str, ...]) -> None:
    """Members that nobody knows: notation passes over them, and whoever wrote one should hear of it."""
    work.notes += [
        f"{where}: {member[:80]!r} is not known, and passed over" for member in members if member not in known
    ]


def _note_consequences(work: _Import) -> None:
    """What is to be said once all scopes are known."""
    rest = f"judged as {EVERY_IMAGE}" if any(EVERY_IMAGE in scope.images for scope in work.scopes) else "denied"
    for name, images in work.skipped:
        outcome = "denied" if images == EVERY_IMAGE else rest
        work.notes.append(f"{name}: level {_SKIP} accepts images without looking; here {images} is {outcome}")
    every = {file for files in work.tsa.values() for file in files}
    for name, files in work.tsa.items():
        if set(files) != every:
            others = ", ".join(sorted(every - set(files)))
            note = "who may time-stamp is one list for all scopes here, so that time-stamps under these count as well"
            work.notes.append(f"{name}: {note}: {others}")


def _publish(work: _Import, name: str, by_kind: dict[str, list[str]], actions: dict[str, str]) -> PublishRule:
    """A time-stamp that notation demands is a proven time that the scope demands."""
    found = by_kind.get(TSA, [])
    work.tsa[name] = tuple(found)
    if found and actions["revocation"] != "enforce":
        note = "notation always asks whether a time-stamp authority is revoked; here that is as with signers"
        work.notes.append(f"{name}: {note} ({actions['revocation']})")
    if not found or actions["authenticTimestamp"] != "enforce":
        return PublishRule()
    if actions["verifyTimestamp"] == "afterCertExpiry":
        note = "verifyTimestamp afterCertExpiry: here a time-stamp is looked at always, and needed after expiry only"
        work.notes.append(f"{name}: {note}")
        return PublishRule()
    vouched = (TimeSource.SIGNING_AUTHORITY,) if "signingAuthority" in by_kind else ()
    return PublishRule((TimeSource.RFC3161, *vouched))


def _signers(
    name: str, by_kind: dict[str, list[str]], identities: list[str], revocation: str, what: str
) -> list[NotarySigner]:
    """One signer for each type of store, and one for the profiles of AWS Signer."""
    profiles = tuple(identity for identity in identities if identity.startswith(_AWS))
    subjects = tuple(identity for identity in identities if not identity.startswith(_AWS))
    found: list[NotarySigner] = []
    for kind, ours in KINDS.items():
        files = tuple(dict.fromkeys(by_kind.get(kind, ())))
        if files and subjects:
            found.append(NotarySigner(_short(f"{name}-{ours}"), ours, subjects, files, revocation))
        if files and profiles and kind == "signingAuthority":
            pinned = tuple(pin_root(file) for file in files)
            found.append(NotarySigner(_short(f"{name}-aws"), "aws-signer", profiles, pinned, revocation))
    if not found:
        message = f"{what}: no trust store (ca or signingAuthority) that its trusted identities could be of"
        raise InputFileError(message)
    for signer in found:
        for identity in signer.identities:
            check_identity(signer.notary, identity)
    return found


def _actions(members: dict[str, Any], what: str) -> dict[str, str] | None:
    """What is done about each check; None where nothing is looked at."""
    level, override = read_text(members, "level", what), members.get("override")
    if level == _SKIP and not override:
        return None
    if level not in _LEVELS:
        message = f"{what}: level {level[:40]!r}, expected strict, permissive, audit, or skip without an override"
        raise InputFileError(message)
    actions = dict(_LEVELS[level])
    for check, action in ({} if override is None else read_object(override, f"override of {what}")).items():
        allowed = ("enforce", "log", _SKIP) if check == "revocation" else ("enforce", "log")
        if check not in actions or action not in allowed:
            message = f"{what}: override of {check[:40]!r} to {str(action)[:40]!r}"
            raise InputFileError(message)
        actions[check] = action
    when = read_text(members, "verifyTimestamp", what)
    if when not in _WHEN:
        message = f"{what}: verifyTimestamp is {when[:40]!r}, expected always or afterCertExpiry"
        raise InputFileError(message)
    actions["verifyTimestamp"] = when
    return actions


def _short(name: str) -> str:
    """A name as policies spell one."""
    return _UNFIT.sub("-", name).strip("-")[:_MAX_NAME] or "notary"


def _unlike(signer: NotarySigner, others: Iterable[NotarySigner]) -> NotarySigner:
    """The same under a name that no other has."""
    taken = {other.name for other in others}
    names = (signer.name, *(f"{signer.name}-{number}" for number in range(2, len(taken) + 3)))
    name = next(name for name in names if name not in taken)
    return NotarySigner(name, signer.notary, signer.identities, signer.roots, signer.revocation)


def _one_line(text: str) -> str:
    """A text that ends no comment and moves no cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
