"""Where an identity token comes from: a file, a variable, the CI system, or a person before a browser.

Knows OpenID Connect as far as Fulcio wants it; the detection in CI systems and the login are sigstore's own. A token is
secret: it is in no message and no log, and never an argument.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.errors import KeyUnusable, ServiceError, UsageError
from imgtrust.signers.material import read_material

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["AUDIENCE", "IdentityToken", "TokenSource", "parse_token"]

AUDIENCE: Final = "sigstore"
"""The client id of every Sigstore client."""
_VARIABLE: Final = "SIGSTORE_ID_TOKEN"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """A token and what it says of itself, unverified: Fulcio verifies it.

    ``issuer`` is who the certificate will name (behind Sigstore's own login that is the provider where the person
    logged in). ``email`` is set where the token has a verified one.
    """

    text: str = field(repr=False)
    issuer: str
    email: str | None
    expires: datetime


@dataclass(frozen=True, slots=True)
class TokenSource:
    """How tokens are found.

    In this order: ``given``, which gives the token itself; ``reference`` (FILE, ``env://NAME`` or ``awssm://SECRET``);
    the variable SIGSTORE_ID_TOKEN; the CI system; and the login at ``provider`` where ``person`` says that somebody is
    there. ``option`` is how messages spell what names a token.
    """

    environment: Mapping[str, str] = field(repr=False)
    reference: str | None = None
    provider: str | None = None
    person: bool = False
    given: Callable[[], str] | None = field(default=None, repr=False)
    option: str = "--identity-token"

    def read(self, now: datetime) -> IdentityToken:
        """A token that is good now; where it comes from a file, the file is read each time.

        Raises:
            UsageError: there is none, or it cannot be used.
            ServiceError: the CI system or the identity provider gave none.
        """
        if self.given is not None:
            return parse_token(self.given(), f"the {self.option} that was given", now)
        if self.reference is not None:
            token = _referred(self.reference, self.environment, self.option)
            return parse_token(token, f"{self.option} {self.reference}", now)
        if text := self.environment.get(_VARIABLE):
            return parse_token(text, f"the variable {_VARIABLE}", now)
        if text := _ambient():
            return parse_token(text, "the token of this CI system", now)
        if not self.person or self.provider is None:
            message = (
                f"no identity to sign as: give {self.option}, or set {_VARIABLE}, run in a CI system that gives tokens "
                "(GitHub Actions needs the permission id-token: write), or run it on a terminal and log in"
            )
            raise UsageError(message)
        return parse_token(_login(self.provider), f"the token of {self.provider}", now)


def parse_token(text: str, what: str, now: datetime) -> IdentityToken:
    """Read what a token (JWT, RFC 7519) says of itself; its signature is Fulcio's to verify.

    Raises:
        UsageError: it is no token, is for somebody else, or has expired.
    """
    text = text.strip()
    try:
        claims = _claims(text)
        issuer, expires = _claim(claims, "iss", str), datetime.fromtimestamp(_claim(claims, "exp", int), UTC)
        audience = claims.get("aud")
    except (ValueError, TypeError, KeyError, OverflowError, OSError) as exc:
        message = f"{what} holds no identity token: expected a JWT with iss, aud and exp"
        raise UsageError(message) from exc
    if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
        message = f"{what} is not for signing: its audience is {str(audience)[:80]!r}, expected {AUDIENCE!r}"
        raise UsageError(message)
    if expires <= now:
        message = f"{what} expired at {expires:%Y-%m-%d %H:%M:%S}Z; get a new one"
        raise UsageError(message)
    federated = claims.get("federated_claims")
    connector = federated.get("connector_id") if isinstance(federated, dict) else None
    email = claims.get("email") if claims.get("email_verified") is True else None
    return IdentityToken(
        text,
        connector if isinstance(connector, str) else issuer,
        email if isinstance(email, str) else None,
        expires,
    )


def _claims(text: str) -> Any:  # noqa: ANN401 - as JSON
    if not _TOKEN.fullmatch(text):
        message = "not three parts"
        raise ValueError(message)
    return strict_json.loads(_decoded(text.split(".")[1]))


def _claim(claims: Any, name: str, kind: type) -> Any:  # noqa: ANN401 - a value of that type
    value = claims[name]
    if type(value) is not kind:
        raise TypeError(name)
    return value


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _referred(reference: str, environment: Mapping[str, str], option: str) -> str:
    """The token behind a reference; a token itself is refused, for everybody on the machine can read arguments."""
    if _TOKEN.fullmatch(reference) and reference.startswith("eyJ"):
        message = (
            f"{option} takes a FILE or env://NAME, not the token: arguments can be read by everybody on this machine, "
            "and end up in logs"
        )
        raise UsageError(message)
    try:
        data = read_material(reference, environment)
    except KeyUnusable as exc:
        message = f"no identity token: {str(exc).replace('the key', 'the token').replace('key ', 'token ')}"
        raise UsageError(message) from exc
    return data.decode("ascii", "replace")


def _ambient() -> str | None:
    """The token of GitHub Actions, GitLab, CircleCI, Buildkite or Google Cloud, where this is one of them."""
    from sigstore import oidc  # noqa: PLC0415 - 0.3 s, only for keyless signing without a token

    try:
        return oidc.detect_credential(AUDIENCE)
    except oidc.IdentityError as exc:
        text = str(exc.__cause__ or exc)[:300]
        message = f"this CI system gives no identity token: {text}; nothing was signed"
        raise ServiceError(message) from exc
    except OSError as exc:
        message = f"this CI system did not answer for an identity token ({type(exc).__name__}); nothing was signed"
        raise ServiceError(message) from exc


def _login(provider: str) -> str:
    """The token of a person who logs in with the browser of this machine, or of another one."""
    return _ask_person(provider, _browser)


def _browser(provider: str) -> str:
    from sigstore import oidc  # noqa: PLC0415 - as above

    return str(oidc.Issuer(provider).identity_token(AUDIENCE))


def _ask_person(provider: str, flow: Callable[[str], str]) -> str:
    from sigstore import errors, oidc  # noqa: PLC0415 - as above

    try:
        return flow(provider)
    except (oidc.IssuerError, errors.Error, oidc.ExpiredIdentity, OSError, EOFError) as exc:
        message = f"no login at {provider}: {str(exc)[:200] or type(exc).__name__}; nothing was signed"
        raise ServiceError(message) from exc
