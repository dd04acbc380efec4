"""A client of Fulcio: a short-lived signing certificate for a key, against an identity token.

Knows Fulcio's API (``fulcio.proto``, ``CreateSigningCertificate`` v2); must not decide whether the certificate is
believed: whoever signs with it judges the result as everybody will. The token is secret: it is in no message.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.errors import ServiceError
from imgtrust.signers.wire import Answer, NoAnswer, Unusable, Wire, WireOptions

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["FulcioClient", "said_in"]

_PATH: Final = "/api/v2/signingCert"
_MAX_ANSWER: Final = 256 * 1024
_MAX_CHAIN: Final = 10
_OK: Final = frozenset({200, 201})
_SHOWN: Final = 300


class FulcioClient:
    """Fulcio at a URL; safe to use from several threads."""

    def __init__(self, url: str, options: WireOptions) -> None:
        """Nothing is asked yet.

        Raises:
            UsageError: the URL is not one that is used.
        """
        self._wire = Wire(url, "certificate authority (Fulcio)", options)
        self._url = url.rstrip("/")

    def certify(self, token: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        """A certificate for the key, of the identity that the token proves.

        Raises:
            ServiceError: no answer after the tries, a refusal, or a certificate that is not for this key.
        """
        answer = self._ask(token, key)
        try:
            certificate = _leaf(answer.body)
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            raise ServiceError(self._said(f"its answer holds no certificate with an SCT ({answer.kind})")) from exc
        if certificate.public_key() != key.public_key():
            raise ServiceError(self._said("its certificate is for another key"))
        return certificate

    def close(self) -> None:
        """Give back the connections."""
        self._wire.close()

    def _ask(self, token: str, key: ec.EllipticCurvePrivateKey) -> Answer:
        document = {
            "credentials": {"oidcIdentityToken": token},
            "certificateSigningRequest": base64.b64encode(_request(key)).decode("ascii"),
        }
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            answer = self._wire.send("POST", self._url + _PATH, strict_json.dumps(document), headers, _MAX_ANSWER)
        except NoAnswer as exc:
            message = (
                f"the certificate authority {self._url} did not answer, {exc.tries} times: {exc}; nothing was signed, "
                "run it again"
            )
            raise ServiceError(message) from exc
        except Unusable as exc:
            raise ServiceError(self._said(str(exc))) from exc
        if answer.status not in _OK:
            raise ServiceError(self._said(f"it answered {answer.status}{said_in(answer.body, token)}"))
        return answer

    def _said(self, reason: str) -> str:
        return f"the certificate authority {self._url} gave no certificate that can be used: {reason}"


def said_in(body: bytes, secret: str = "") -> str:
    """What a service says in the ``message`` of a JSON error, for people; ``secret`` is taken out of it."""
    try:
        text = strict_json.loads(body)["message"]
    except (ValueError, TypeError, KeyError):
        return ""
    if not isinstance(text, str):
        return ""
    shown = text.replace(secret, "…") if secret else text
    return f" ({''.join(c if c.isprintable() else ' ' for c in shown[:_SHOWN])})"


def _request(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A certificate signing request (PEM): it proves that we hold the key, and names nobody."""
    from cryptography import x509  # noqa: PLC0415 - 40 ms that a run with bare keys does not need
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM)


def _leaf(body: bytes) -> x509.Certificate:
    """The first certificate of the chain; one with a detached SCT is no use, for a bundle cannot carry that."""
    from cryptography import x509  # noqa: PLC0415 - as above

    chain = strict_json.loads(body)["signedCertificateEmbeddedSct"]["chain"]["certificates"]
    if not isinstance(chain, list) or not 0 < len(chain) <= _MAX_CHAIN:
        message = "no chain"
        raise ValueError(message)
    return x509.load_pem_x509_certificate(chain[0].encode("ascii"))
