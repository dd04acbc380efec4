"""A client of time-stamp authorities over HTTP (RFC 3161, section 3.4).

Knows how a token is asked for, and hands none on that was not checked; must not decide which authority is believed:
the anchors are given.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from imgtrust.errors import Refused, TimestampError
from imgtrust.signers.material import NO_ENVIRONMENT
from imgtrust.signers.wire import AHEAD, NoAnswer, Unusable, Wire, WireOptions
from imgtrust.trust.times import check_response, verify_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from imgtrust.signers.wire import Answer
    from imgtrust.trust.times import TimestampAuthority

__all__ = ["MAX_ANSWER", "HttpTimestamper", "TsaOptions"]

MAX_ANSWER: Final = 256 * 1024
"""The largest answer that is read, in bytes; a token with a chain of four RSA certificates has 10 kB."""
_OK: Final = 200


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class TsaOptions:
    """How authorities are reached.

    ``timeout``: seconds for one whole answer. ``deadline``: a ``time.monotonic()`` after which no try is begun.
    ``tries``: how often an authority is asked that does not answer. ``certificates``: ask for the chain in the token
    (certReq), so that it verifies under a root alone. ``ca_file``, ``client_cert``, ``client_key``: PEM paths for TLS.
    ``environment``: HTTPS_PROXY and NO_PROXY. ``clock`` and ``sleep``: for tests and for callers that wait otherwise.
    """

    timeout: float = 10.0
    deadline: float | None = None
    tries: int = 3
    certificates: bool = True
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: NO_ENVIRONMENT, repr=False)
    clock: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = time.sleep

    @property
    def wire(self) -> WireOptions:
        """The part that any service is reached by."""
        return WireOptions(
            self.timeout,
            self.deadline,
            self.tries,
            self.ca_file,
            self.client_cert,
            self.client_key,
            self.environment,
            self.sleep,
        )


class HttpTimestamper:
    """A ``Timestamper`` at a URL (https, or http to loopback); safe to use from several threads.

    ``authorities`` are the anchors under which each token is verified before it is returned; with none, a token is
    checked for what it says only, and whoever judges it later decides.
    """

    def __init__(self, url: str, options: TsaOptions, authorities: Sequence[TimestampAuthority] = ()) -> None:
        """Nothing is asked yet.

        Raises:
            UsageError: the URL is not one that is used.
        """
        self._wire = Wire(url, "time-stamp authority", options.wire)
        self._url = url
        self._options = options
        self._authorities = tuple(authorities)

    @property
    def name(self) -> str:
        """The host (and port) of the URL."""
        return self._wire.host

    def stamp(self, message: bytes) -> bytes:
        """A DER TimeStampResp over sha256 of the message, asked for with a fresh nonce, and checked.

        Raises:
            TimestampError: no answer after the tries, not a token over this message and nonce, or one that does not
                verify under the authorities given.
        """
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 - only where a TSA is asked

        request = (
            TimestampRequestBuilder()
            .data(message)
            .hash_algorithm(HashAlgorithm.SHA256)
            .cert_request(cert_request=self._options.certificates)
            .nonce(nonce=True)
            .build()
        )
        given = self._ask(request.as_bytes())
        answer = given.body
        try:
            stamped = check_response(answer, message, request.nonce)
            now = self._options.clock()
            if stamped > now + AHEAD:
                text = f"its time {stamped:%Y-%m-%d %H:%M:%S}Z is ahead of this machine's {now:%Y-%m-%d %H:%M:%S}Z"
                raise TimestampError(self._said(text))
            if self._authorities:
                verify_timestamp(answer, [message], self._authorities, at=max(now, stamped))
        except Refused as exc:
            raise TimestampError(self._said(f"{exc.reason} ({given.kind}, {len(answer)} bytes)")) from exc
        return answer

    def close(self) -> None:
        """Give back the connections."""
        self._wire.close()

    def _said(self, reason: str) -> str:
        return f"the time-stamp authority {self._url} gave no token that can be used: {reason}"

    def _ask(self, request: bytes) -> Answer:
        """The answer, after at most ``tries``."""
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            answer = self._wire.send("POST", self._url, request, headers, MAX_ANSWER)
        except NoAnswer as exc:
            text = (
                f"the time-stamp authority {self._url} did not answer, {exc.tries} times: "
                f"{exc}; nothing was signed without a time, run it again"
            )
            raise TimestampError(text) from exc
        except Unusable as exc:
            raise TimestampError(self._said(str(exc))) from exc
        # Some authorities answer 201.
        if not _OK <= answer.status < _OK + 100:
            raise TimestampError(self._said(f"it answered {answer.status} ({answer.kind})"))
        return answer
