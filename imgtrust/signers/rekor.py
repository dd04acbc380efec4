"""Clients of the two generations of Rekor: a signature goes in, its log entry comes out.

Knows their APIs (``rekor-tiles`` v2 and Rekor's ``openapi.yaml`` v1); must not decide whether an entry is believed:
whoever signs judges the whole as everybody will.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from imgtrust import strict_json
from imgtrust.errors import Refused, ServiceError
from imgtrust.evidence import InclusionProof, LogEntry
from imgtrust.formats.dsse import write_envelope
from imgtrust.formats.logentries import read_entries
from imgtrust.formats.members import Members
from imgtrust.refusals import RefusalCode
from imgtrust.signers.fulcio import said_in
from imgtrust.signers.wire import Answer, NoAnswer, Unusable, Wire, WireOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgtrust.signers.logged import Logged
    from imgtrust.signers.signingconfig import LogService

__all__ = ["TransparencyLog", "open_log"]

_MAX_ANSWER: Final = 32 * 1024 * 1024
"""The largest answer that is read; a log of version 1 gives back what it was sent."""
_PATIENCE: Final = 40.0
"""Seconds for one answer: a log of version 2 answers with its next checkpoint, by default up to ten seconds later."""
_V3: Final = 3
_OK: Final = frozenset({200, 201})
_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_CHECKPOINT: Final = "/api/v2/checkpoint"
_HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json"}


class TransparencyLog(Protocol):
    """A log that can be written to; safe to use from several threads."""

    @property
    def url(self) -> str:
        """Where it is."""
        ...

    @property
    def promises_times(self) -> bool:
        """Whether its entries may prove a time."""
        ...

    def check_ready(self) -> None:
        """See that the log is there; nothing is written.

        Raises:
            ServiceError: no answer after the tries.
        """
        ...

    def record(self, signed: Logged) -> LogEntry:
        """The entry, once the log holds it; unverified.

        Raises:
            ServiceError: no answer after the tries, a refusal, or what is no entry.
        """
        ...

    def close(self) -> None:
        """Give back the connections."""
        ...


def open_log(service: LogService, options: WireOptions) -> TransparencyLog:
    """The log at a URL, by the generation of its API.

    Raises:
        UsageError: the URL is not one that is used.
    """
    kinds: dict[int, Callable[[str, WireOptions], TransparencyLog]] = {0: _AnyLog, 1: _FirstLog, 2: _SecondLog}
    return kinds[service.version](service.url, options)


class _NoSuchApi(ServiceError):
    """There is a server, and it does not know the path."""


class _Client:
    """What both have in common: one request and its failures."""

    promises_times = True
    _STATE = ""
    """A path that a log answers, if only with 404: all that is asked is whether somebody is there."""

    def __init__(self, url: str, options: WireOptions) -> None:
        patient = replace(options, timeout=max(options.timeout, _PATIENCE))
        self._wire = Wire(url, "transparency log (Rekor)", patient)
        self.url = url.rstrip("/")

    def close(self) -> None:
        """Give back the connections."""
        self._wire.close()

    def check_ready(self) -> None:
        """See ``TransparencyLog``."""
        self._send("GET", self._STATE)

    def _ask(self, method: str, path: str, document: dict[str, Any] | None) -> Answer:
        answer = self._send(method, path, None if document is None else strict_json.dumps(document))
        if answer.status == _NOT_FOUND:
            raise _NoSuchApi(self._said("it answered 404"))
        if answer.status not in _OK and answer.status != _CONFLICT:
            raise ServiceError(self._said(f"it answered {answer.status}{said_in(answer.body)}"))
        return answer

    def _send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        try:
            return self._wire.send(method, self.url + path, body, _HEADERS, _MAX_ANSWER)
        except NoAnswer as exc:
            message = (
                f"the transparency log {self.url} did not answer, {exc.tries} times: {exc}; nothing was attached, run "
                "it again"
            )
            raise ServiceError(message) from exc
        except Unusable as exc:
            raise ServiceError(self._said(str(exc))) from exc

    def _said(self, reason: str) -> str:
        return f"the transparency log {self.url} gave no entry that can be used: {reason}"


class _SecondLog(_Client):
    """Rekor v2: the answer is the entry as a bundle carries it, when the next checkpoint has it."""

    promises_times = False
    _STATE = _CHECKPOINT

    def record(self, signed: Logged) -> LogEntry:
        """See ``TransparencyLog``.

        A DSSE envelope is logged as ``hashedrekord`` over its PAE (rekor-tiles takes no other kind any more).
        """
        signature = {"content": _base64(signed.signature), "verifier": signed.verifier}
        request = {"digest": _base64(signed.digest), "signature": signature}
        answer = self._ask("POST", "/api/v2/log/entries", {"hashedRekordRequestV002": request})
        try:
            return _entry({"tlogEntries": [strict_json.loads(answer.body)]})
        except (Refused, ValueError) as exc:
            raise ServiceError(self._said(f"its answer is no entry: {str(exc)[:200]} ({answer.kind})")) from exc


class _FirstLog(_Client):
    """Rekor v1: the answer is an object by the entry's id, and an entry that is there already is pointed to."""

    _STATE = "/api/v1/log"

    def record(self, signed: Logged) -> LogEntry:
        """See ``TransparencyLog``."""
        answer = self._ask("POST", "/api/v1/log/entries", _proposed(signed))
        if answer.status == _CONFLICT:
            known = (answer.location or "").rpartition("/")[2]
            if not known.isalnum():
                raise ServiceError(self._said("it has the entry already, and does not say where"))
            answer = self._ask("GET", f"/api/v1/log/entries/{known}", None)
        try:
            return _first_entry(answer.body)
        except (Refused, ValueError, TypeError, KeyError, AttributeError) as exc:
            raise ServiceError(self._said(f"its answer is no entry: {str(exc)[:200]} ({answer.kind})")) from exc


class _AnyLog(_Client):
    """A log of which only the address is known: the second generation is tried first."""

    _STATE = _CHECKPOINT

    def __init__(self, url: str, options: WireOptions) -> None:
        super().__init__(url, options)
        self._logs = (_SecondLog(url, options), _FirstLog(url, options))

    def record(self, signed: Logged) -> LogEntry:
        """See ``TransparencyLog``."""
        try:
            return self._logs[0].record(signed)
        except _NoSuchApi:
            return self._logs[1].record(signed)

    def close(self) -> None:
        """Give back the connections."""
        for log in self._logs:
            log.close()


def _proposed(signed: Logged) -> dict[str, Any]:
    """What version 1 takes: an envelope as ``dsse``, anything else as ``hashedrekord``."""
    verifier = _base64(signed.pem)
    if signed.statement is None:
        spec: dict[str, Any] = {
            "data": {"hash": {"algorithm": signed.algorithm, "value": signed.digest.hex()}},
            "signature": {"content": _base64(signed.signature), "publicKey": {"content": verifier}},
        }
        return {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}
    envelope = write_envelope(signed.statement, signed.signature).decode("utf-8")
    return {
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {"proposedContent": {"envelope": envelope, "verifiers": [verifier]}},
    }


def _entry(material: dict[str, Any]) -> LogEntry:
    (entry,) = read_entries(Members(material, "the log's answer", RefusalCode.LOG_MALFORMED), _V3)
    return entry


def _first_entry(body: bytes) -> LogEntry:
    """The entry in an answer of Rekor v1 (``LogEntry`` of its ``openapi.yaml``)."""
    ((_, found),) = strict_json.loads(body).items()
    canonical = base64.b64decode(found["body"], validate=True)
    inside = strict_json.loads(canonical)
    proof = found["verification"]["inclusionProof"]
    return LogEntry(
        str(inside["kind"]),
        str(inside["apiVersion"]),
        bytes.fromhex(found["logID"]),
        int(found["logIndex"]),
        int(found["integratedTime"]),
        canonical,
        base64.b64decode(found["verification"]["signedEntryTimestamp"], validate=True),
        InclusionProof(
            int(proof["logIndex"]),
            int(proof["treeSize"]),
            bytes.fromhex(proof["rootHash"]),
            tuple(bytes.fromhex(each) for each in proof["hashes"]),
            str(proof["checkpoint"]),
        ),
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
