"""Identity tokens: where they come from, what they say, and that none is ever shown."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.errors import ServiceError, UsageError
from imgtrust.signers.oidc import TokenSource, _ask_person, parse_token
from tests.simulators.loopback import Loopback, Reply
from tests.simulators.oidcserver import OidcServer, jwt_part
from tests.simulators.sigstoreserver import ISSUER, PERSON, token

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]


def now() -> datetime:
    return datetime.now(UTC)


def test_what_a_token_says_of_itself() -> None:
    found = parse_token(token() + "\n", "the file", now())
    assert (found.issuer, found.email) == (ISSUER, PERSON)
    assert found.expires > now()
    assert found.text not in repr(found)


def test_behind_a_login_of_several_providers_the_one_that_knows_the_person_is_the_issuer() -> None:
    text = token(federated_claims={"connector_id": "https://github.com/login/oauth"})
    assert parse_token(text, "the file", now()).issuer == "https://github.com/login/oauth"
    assert parse_token(token(federated_claims={"connector_id": 1}), "the file", now()).issuer == ISSUER


@pytest.mark.parametrize("claims", [{"email_verified": False}, {"email_verified": "true"}, {"email": 5}])
def test_an_address_that_nobody_verified_is_no_address(claims: dict[str, Any]) -> None:
    assert parse_token(token(**claims), "the file", now()).email is None


def test_an_audience_may_stand_in_a_list() -> None:
    assert parse_token(token(aud=["other", "sigstore"]), "the file", now()).issuer == ISSUER


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no identity token"),
        ("hello", "holds no identity token"),
        ("a.b.c", "holds no identity token"),
        (f"a.{jwt_part({'iss': 'x', 'exp': 5})}", "holds no identity token"),
        (f"a.{jwt_part({'iss': 5, 'exp': 5})}.c", "holds no identity token"),
        (f"a.{jwt_part({'iss': 'x', 'exp': True})}.c", "holds no identity token"),
        (f"a.{jwt_part({'iss': 'x', 'exp': 10**30})}.c", "holds no identity token"),
        (token(aud="other"), "its audience is 'other', expected 'sigstore'"),
        (token(aud=None), "its audience is 'None'"),
        (token(exp=1), "expired at 1970-01-01 00:00:01Z"),
    ],
)
def test_what_is_no_token_for_signing_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse_token(text, "the file", now())
    assert "eyJ" not in str(caught.value)


def test_the_reference_comes_before_the_variable(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token("file@acme.test"))
    environment = {"SIGSTORE_ID_TOKEN": token("variable@acme.test"), "MINE": token("mine@acme.test")}
    assert TokenSource(environment, str(tmp_path / "token")).read(now()).email == "file@acme.test"
    assert TokenSource(environment, "env://MINE").read(now()).email == "mine@acme.test"
    assert TokenSource(environment).read(now()).email == "variable@acme.test"


def test_a_file_is_read_again_each_time(tmp_path: Path) -> None:
    source = TokenSource({}, str(tmp_path / "token"))
    for email in ("one@acme.test", "two@acme.test"):
        (tmp_path / "token").write_text(token(email))
        assert source.read(now()).email == email


def test_a_token_is_no_argument() -> None:
    with pytest.raises(UsageError, match="arguments can be read by everybody") as caught:
        TokenSource({}, token()).read(now())
    assert "eyJ" not in str(caught.value)


@pytest.mark.parametrize("reference", ["/does/not/exist", "env://ABSENT", "ftp://x"])
def test_a_reference_that_leads_nowhere_is_wrong_usage(reference: str) -> None:
    with pytest.raises(UsageError, match=r"no identity token: .*token"):
        TokenSource({}, reference).read(now())


@pytest.fixture
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is in no CI system that gives tokens."""
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE", "GOOGLE_SERVICE_ACCOUNT_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_ci")
@pytest.mark.parametrize("person", [True, False])
def test_without_any_identity_it_is_said_how_to_get_one(*, person: bool) -> None:
    with pytest.raises(UsageError, match="no identity to sign as: give --identity-token, or set SIGSTORE_ID_TOKEN"):
        TokenSource({}, person=person).read(now())


@pytest.mark.usefixtures("no_ci")
def test_the_token_of_github_actions_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Reply(200, (("Content-Type", "application/json"),), json.dumps({"value": token("ci@acme.test")}).encode())
    with Loopback(lambda _: answer) as github:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", github.base)
        assert TokenSource({}).read(now()).email == "ci@acme.test"
        (request,) = github.asked()
    assert request.first("audience") == "sigstore"


@pytest.mark.usefixtures("no_ci")
def test_a_ci_system_that_gives_no_token_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", raising=False)
    with pytest.raises(ServiceError, match="this CI system gives no identity token"):
        TokenSource({}).read(now())


def raising(exc: Exception) -> Callable[[str], str]:
    def flow(_provider: str) -> str:
        raise exc

    return flow


@pytest.mark.parametrize("exc", [EOFError(), ConnectionResetError("gone")])
def test_a_login_that_is_not_finished_signs_nothing(exc: Exception) -> None:
    with pytest.raises(ServiceError, match=r"no login at https://login.acme.test: .*; nothing was signed"):
        _ask_person("https://login.acme.test", raising(exc))


def test_a_provider_that_is_none_signs_nothing() -> None:
    from imgtrust.signers.oidc import _login  # noqa: PLC0415 - private, and only here

    with Loopback() as nobody, pytest.raises(ServiceError, match="no login at"):
        _login(nobody.base)


LOGIN = """
import sys
from datetime import UTC, datetime
from imgtrust.signers.oidc import TokenSource
print(TokenSource({}, provider=sys.argv[1], person=True).read(datetime.now(UTC)).email)
"""
BROWSER = """
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=10).read()
"""


def test_a_person_logs_in_with_the_browser(tmp_path: Path) -> None:
    (tmp_path / "browser.py").write_text(BROWSER)
    with OidcServer() as provider:
        provider.person = "person@acme.test"
        done = subprocess.run(
            [sys.executable, "-c", LOGIN, provider.issuer],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(tmp_path),
                "PYTHONPATH": str(ROOT),
                "BROWSER": f"{sys.executable} {tmp_path / 'browser.py'} %s",
            },
        )
    assert done.stdout == "person@acme.test\n", done.stderr


def test_a_token_expires_by_the_clock_that_is_given() -> None:
    text = token()
    with pytest.raises(UsageError, match="expired"):
        parse_token(text, "the file", now() + timedelta(hours=1))
