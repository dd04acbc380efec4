"""``policy import notation``: a trust policy of notation, with its trust store, becomes the policy that means the same.

Knows notary.md 6; knows what has no equal here, and says it. Nothing is made laxer than it was: what notation only logs
is enforced, and what it skips is left out, so that it is denied.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.commands.files import read_input
from imgtrust.errors import InputFileError
from imgtrust.policy.document import read_policy
from imgtrust.policy.scopes import EVERY_IMAGE
from imgtrust.policy.subjectnames import check_identity
from imgtrust.policy.values import NotarySigner, Policy, PublishRule, Scope, SignatureRule, TimeTrust
from imgtrust.policy.writing import write_policy
from imgtrust.trust.certificatefiles import AWS_SIGNER_ROOT, read_roots
from imgtrust.trust.times import TimeSource

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Imported", "import_notation"]

_VERSION: Final = "1.0"
_KINDS: Final = {"ca": "ca", "signingAuthority": "signing-authority"}
_SUFFIXES: Final = (".pem", ".crt", ".cer")
_CHECKS: Final = ("authenticity", "authenticTimestamp", "expiry")
_LEVELS: Final[dict[str, dict[str, str]]] = {
    "strict": dict.fromkeys((*_CHECKS, "revocation"), "enforce"),
    "permissive": {**dict.fromkeys((*_CHECKS, "revocation"), "log"), "authenticity": "enforce"},
    "audit": dict.fromkeys((*_CHECKS, "revocation"), "log"),
}
_SKIP: Final = "skip"
_AWS: Final = "arn:"
_STORE: Final = re.compile(r"[A-Za-z0-9_.-]+")
"""The name of a trust store, which is that of a folder (notation-go, ``file.IsValidFileName``)."""
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_]+")
_MAX_NAME: Final = 40
_MAX_FILES: Final = 256


@dataclass(frozen=True, slots=True)
class Imported:
    """The policy as text (TOML), and in words what of the original it does not say."""

    text: str
    not_carried_over: tuple[str, ...]


@dataclass(slots=True)
class _Import:
    """What has been gathered so far."""

    store: Path
    signers: list[NotarySigner] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    tsa: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def import_notation(policy: Path, store: Path) -> Imported:
    """Read ``trustpolicy.json`` and the folder of its trust stores (``truststore``, or the one above or below it).

    Paths in the result are written as ``store`` was.

    Raises:
        InputFileError: a file is not what it should be, or a trust store is absent or empty.
        UsageError: an identity is none.
    """
    document = _object(_json(read_input(policy, "the trust policy")), str(policy))
    if document.get("version") != _VERSION:
        message = f"{policy}: version {document.get('version')!r}, expected {_VERSION!r}"
        raise InputFileError(message)
    work = _Import(_stores(store))
    statements = _list(document, "trustPolicies", str(policy))
    if not statements:
        message = f"{policy}: no trustPolicies"
        raise InputFileError(message)
    for number, item in enumerate(statements):
        _statement(work, _object(item, f"trustPolicies[{number}] of {policy}"), f"trustPolicies[{number}] of {policy}")
    if not work.scopes:
        message = f"{policy}: nothing is left to import, for every trust policy in it has level {_SKIP}"
        raise InputFileError(message)
    made = Policy(tuple(work.signers), tuple(work.scopes), TimeTrust(tuple(work.tsa)))
    text = write_policy(made)
    read_policy(text.encode(), "the imported policy")
    comments = "".join(f"# not carried over: {note}\n" for note in work.notes)
    return Imported(f"# imported from notation's {policy.name}\n{comments}{text}", tuple(work.notes))


def _statement(work: _Import, members: dict[str, Any], what: str) -> None:
    """One trust policy: signers for its stores, and one scope."""
    if members.get("globalPolicy") is not None:
        message = f"{what}: a policy for files (globalPolicy); imgtrust judges images, give trustpolicy.oci.json"
        raise InputFileError(message)
    name = _text(members, "name", what)
    patterns = tuple(EVERY_IMAGE if text == "*" else text for text in _texts(members, "registryScopes", what))
    actions = _actions(_object(members.get("signatureVerification"), f"signatureVerification of {what}"), what)
    if actions is None:
        work.notes.append(f"{name}: level {_SKIP} accepts images without looking; here {', '.join(patterns)} is denied")
        return
    work.notes += [
        f"{name}: {check} is only logged by notation; here it is enforced"
        for check in _CHECKS
        if actions[check] != "enforce"
    ]
    by_kind: dict[str, list[str]] = {}
    for entry in _texts(members, "trustStores", what):
        kind, _, folder = entry.partition(":")
        by_kind.setdefault(kind, []).extend(_files(work.store, kind, folder, what))
    made = _signers(name, by_kind, _texts(members, "trustedIdentities", what), actions["revocation"], what)
    work.signers += [_unlike(signer, work.signers) for signer in made]
    names = tuple(signer.name for signer in work.signers[len(work.signers) - len(made) :])
    work.scopes.append(Scope(name, patterns, SignatureRule(names), publish=_publish(work, name, by_kind, actions)))


def _publish(work: _Import, name: str, by_kind: dict[str, list[str]], actions: dict[str, str]) -> PublishRule:
    """A time-stamp that notation demands is a proven time that the scope demands."""
    found = by_kind.get("tsa", [])
    work.tsa.update(dict.fromkeys(found))
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
    for kind, ours in _KINDS.items():
        files = tuple(dict.fromkeys(by_kind.get(kind, ())))
        if files and subjects:
            found.append(NotarySigner(_short(f"{name}-{ours}"), ours, subjects, files, revocation))
        if files and profiles and kind == "signingAuthority":
            pinned = tuple(_pinned(file) for file in files)
            found.append(NotarySigner(_short(f"{name}-aws"), "aws-signer", profiles, pinned, revocation))
    if not found:
        message = f"{what}: no trust store (ca or signingAuthority) that its trusted identities could be of"
        raise InputFileError(message)
    for signer in found:
        for identity in signer.identities:
            check_identity(signer.notary, identity)
    return found


def _pinned(file: str) -> str:
    """A file of roots as a signer of AWS Signer names it: another root than Amazon's is named by its fingerprint."""
    prints = {hashlib.sha256(der).hexdigest() for der in read_roots(read_input(Path(file), "the roots"), file)}
    if len(prints) > 1:
        message = f"{file}: {len(prints)} certificates, expected one root for AWS Signer"
        raise InputFileError(message)
    (found,) = prints
    return file if found == AWS_SIGNER_ROOT else f"{file}#sha256:{found}"


def _actions(members: dict[str, Any], what: str) -> dict[str, str] | None:
    """What is done about each check; None where nothing is looked at."""
    level = _text(members, "level", what)
    if level == _SKIP:
        return None
    if level not in _LEVELS:
        message = f"{what}: level {level[:40]!r}, expected strict, permissive, audit or skip"
        raise InputFileError(message)
    actions = dict(_LEVELS[level])
    override = members.get("override")
    for check, action in ({} if override is None else _object(override, f"override of {what}")).items():
        allowed = ("enforce", "log", _SKIP) if check == "revocation" else ("enforce", "log")
        if check not in actions or action not in allowed:
            message = f"{what}: override of {check[:40]!r} to {str(action)[:40]!r}"
            raise InputFileError(message)
        actions[check] = action
    actions["verifyTimestamp"] = _text(members, "verifyTimestamp", what) or "always"
    return actions


def _stores(folder: Path) -> Path:
    """The folder ``x509`` of a trust store."""
    for candidate in (folder / "x509", folder / "truststore" / "x509", folder / "trust-store" / "x509", folder):
        if candidate.is_dir() and (candidate.name == "x509" or any((candidate / kind).is_dir() for kind in _KINDS)):
            return candidate
    message = f"{folder}: not a trust store; expected a folder with x509/ca/NAME or x509/signingAuthority/NAME in it"
    raise InputFileError(message)


def _files(store: Path, kind: str, name: str, what: str) -> list[str]:
    """The certificates of one named store."""
    if kind not in {*_KINDS, "tsa"} or name in {".", ".."} or not _STORE.fullmatch(name):
        message = (
            f"{what}: {f'{kind}:{name}'[:80]!r} is no trust store; expected ca:NAME, signingAuthority:NAME, tsa:NAME"
        )
        raise InputFileError(message)
    folder = store / kind / name
    try:
        entries = sorted(folder.iterdir())
    except OSError as exc:
        message = f"{what}: the trust store {folder} cannot be read: {exc.strerror}"
        raise InputFileError(message) from exc
    for entry in entries:
        if entry.is_symlink() or not entry.is_file() or entry.suffix.lower() not in _SUFFIXES:
            message = (
                f"{entry}: expected certificates only ({', '.join(_SUFFIXES)}), as notation does; no folders or links"
            )
            raise InputFileError(message)
        read_roots(read_input(entry, "the certificates"), str(entry))
    if not 0 < len(entries) <= _MAX_FILES:
        message = f"{folder}: {len(entries)} certificates, expected 1 to {_MAX_FILES}"
        raise InputFileError(message)
    return [str(entry) for entry in entries]


def _short(name: str) -> str:
    """A name as policies spell one."""
    return _UNFIT.sub("-", name).strip("-")[:_MAX_NAME] or "notary"


def _unlike(signer: NotarySigner, others: Iterable[NotarySigner]) -> NotarySigner:
    """The same under a name that no other has."""
    taken = {other.name for other in others}
    names = (signer.name, *(f"{signer.name}-{number}" for number in range(2, len(taken) + 3)))
    name = next(name for name in names if name not in taken)
    return NotarySigner(name, signer.notary, signer.identities, signer.roots, signer.revocation)


def _json(data: bytes) -> object:
    try:
        found: object = strict_json.loads(data)
    except strict_json.StrictJsonError as exc:
        message = f"the trust policy: {exc}"
        raise InputFileError(message) from exc
    return found


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        message = f"{what}: expected a JSON object, found {type(value).__name__}"
        raise InputFileError(message)
    return value


def _list(members: dict[str, Any], name: str, what: str) -> list[Any]:
    value = members.get(name, [])
    if not isinstance(value, list):
        message = f"{what}: {name} is no list"
        raise InputFileError(message)
    return value


def _text(members: dict[str, Any], name: str, what: str) -> str:
    value = members.get(name, "")
    if not isinstance(value, str):
        message = f"{what}: {name} is no text"
        raise InputFileError(message)
    return value


def _texts(members: dict[str, Any], name: str, what: str) -> list[str]:
    value = _list(members, name, what)
    if not value or not all(isinstance(item, str) for item in value):
        message = f"{what}: {name} is no list of texts, or an empty one"
        raise InputFileError(message)
    return value
