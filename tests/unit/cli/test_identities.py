"""The flags of keyless and Notary signers, over a layout: what each finds, and what it does not."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from imgtrust import strict_json
from imgtrust.commands.demoimage import build_image
from imgtrust.policy.document import read_policy
from imgtrust.policy.values import KeylessSigner, KeySigner, NotarySigner
from imgtrust.reference import Reference
from imgtrust.stores import open_store
from tests.simulators.attached import NOTARY_ROOT, attach_keyless, attach_notary
from tests.simulators.fulcio import EMAIL, ISSUER
from tests.simulators.sigstore import VirtualSigstore
from tests.unit.cli.test_commands import NOON, Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGE: Final = "oci:build:1.4.2"
KEYLESS: Final = ("--certificate-identity", EMAIL, "--certificate-oidc-issuer", ISSUER, "--trusted-root", "acme.json")
NOTARY: Final = ("--notary-roots", "acme.pem", "--notary-identity", "*")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    instance = VirtualSigstore()
    with contextlib.chdir(tmp_path):
        Path("acme.json").write_bytes(strict_json.dumps(instance.document()))
        Path("acme.pem").write_bytes(NOTARY_ROOT.pem)
        build_image("build", "1.4.2", says="hello", built=NOON)
        store = open_store(Reference.parse(IMAGE).repository)
        root = store.resolve("1.4.2")
        attach_keyless(store, root, instance)
        attach_notary(store, root)
        store.close()
        yield Shell({"LANG": "C.UTF-8", "IMGTRUST_PASSPHRASE": "pw"})


def test_a_keyless_signer_is_believed_with_the_time_of_the_log(shell: Shell) -> None:
    told = shell.json("verify", *KEYLESS, "--max-age", "3650d", IMAGE)["images"][0]
    assert (told["outcome"], told["published"]["source"]) == ("accepted", "rekor")
    (signature,) = told["signatures"]
    assert (signature["signer"], signature["identity"]) == ("keyless", f"{EMAIL} ({ISSUER})")
    assert signature["second_opinion"].endswith("agrees")
    assert signature["times"][0]["authority"] == "rekor.acme.test"


def test_patterns_match_the_whole_name(shell: Shell) -> None:
    flags = ("--certificate-oidc-issuer-regexp", "https://accounts[.]acme[.].*", "--trusted-root", "acme.json")
    shell("verify", "--certificate-identity-regexp", ".*@acme[.]test", *flags, IMAGE)
    out, _ = shell("verify", "--certificate-identity-regexp", "@acme[.]test", *flags, IMAGE, status=1)
    assert "[identity.untrusted]" in out
    assert "or trust that identity: --certificate-identity" in " ".join(out.split())


def test_the_packaged_root_is_meant_where_none_is_named(shell: Shell) -> None:
    out, _ = shell("verify", *KEYLESS[:4], IMAGE, status=1)
    assert "[certificate." in out


def test_a_notary_signer_is_believed_and_what_was_not_asked_is_said(shell: Shell) -> None:
    told = shell.json("verify", *NOTARY, "--revocation", "skip", IMAGE)["images"][0]
    (signature,) = told["signatures"]
    assert (signature["format"], signature["signer"]) == ("notary-jws", "notary")
    assert any(text.startswith("revocation: not asked, as the policy says (skip)") for text in told["not_checked"])
    subject = ("--notary-roots", "acme.pem", "--notary-identity", "x509.subject: C=DE, ST=BE, O=Other")
    assert "[notary.untrusted_identity]" in shell("verify", *subject, IMAGE, status=1)[0]


def test_signers_of_all_kinds_count_together(shell: Shell) -> None:
    shell("keys", "generate", "release")
    shell("sign", "--key", "release.key", IMAGE)
    flags = ("--key", "release.pub", *KEYLESS, *NOTARY, "--count", "3")
    assert "3 signers, 3 needed" in shell("verify", *flags, IMAGE)[0]
    policy = read_policy(shell("verify", *flags, "--print-policy")[0].encode(), "saved.toml")
    assert [type(signer) for signer in policy.signers] == [KeySigner, KeylessSigner, NotarySigner]


def test_the_tree_shows_them_judged_or_not(shell: Shell) -> None:
    judged, _ = shell("inspect", *KEYLESS, IMAGE)
    assert "keyless" in judged
    assert "log" in judged
    found, _ = shell("inspect", IMAGE)
    assert f"says it is by {EMAIL}" in " ".join(found.split())


def test_what_is_trusted_is_shown(shell: Shell) -> None:
    rows = shell.json("trust", "show", *KEYLESS, *NOTARY)["anchors"]
    kinds = {row["kind"] for row in rows}
    assert {"log", "ct-log", "certificate-authority", "timestamp-authority", "keyless", "notary-ca"} <= kinds
    keyless = next(row for row in rows if row["kind"] == "keyless")
    assert (keyless["fingerprint"], keyless["detail"]) == (None, f"{EMAIL} by {ISSUER}, in trusted-root")
    text, _ = shell("trust", "show", "--certificate-identity-regexp", ".+", *KEYLESS[2:])
    assert f"/.+/ by {ISSUER}, in trusted-root" in text


def test_whom_a_policy_trusts_is_shown_with_all_that_it_asks_of_them(shell: Shell) -> None:
    shell("keys", "generate", "release")
    Path("gate.toml").write_text(f"""version = 1
[time]
trusted_root = "acme.json"
[sigstore.acme]
trusted_root = "acme.json"
[signers.release]
key = "release.pub"
[signers.ci]
sigstore = "acme"
issuer = "{ISSUER}"
identity = "{EMAIL}"
build_trigger = "push"
log = false
[signers.partner]
notary = "ca"
roots = ["acme.pem"]
identities = ["x509.subject: C=US, ST=WA, O=Acme", "*"]
revocation = "log"
[signers.aws]
notary = "aws-signer"
roots = ["acme.pem#sha256:{hashlib.sha256(NOTARY_ROOT.der).hexdigest()}"]
profile = "arn:aws:signer:eu-west-3:111122223333:/signing-profiles/release"
[[scopes]]
images = ["**"]
signatures = {{ any_of = ["release", "ci", "partner"] }}
""")
    rows = shell.json("trust", "show", "--policy", "gate.toml")["anchors"]
    details = {(row["kind"], row["name"]): row["detail"] for row in rows}
    assert details["keyless", "ci"] == f"{EMAIL} by {ISSUER}, build_trigger push, in acme, without a log entry too"
    assert details["notary-ca", "partner"] == "x509.subject: C=US, ST=WA, O=Acme or anybody; revocation: log"
    assert details["notary-aws-signer", "aws"].endswith("/signing-profiles/release; revocation: enforce")
    assert details["log", "rekor.acme.test"] == "for signatures by keys"
    (root,) = [row for row in rows if row["kind"] == "notary-ca"]
    assert (root["not_before"], root["not_after"]) == ("2025-01-01T00:00:00Z", "2027-01-01T00:00:00Z")


def test_what_a_trusted_root_holds_is_shown_once(shell: Shell) -> None:
    shell("keys", "generate", "release")
    rows = shell.json("trust", "show", "--key", "release.pub", "--trusted-root", "acme.json")["anchors"]
    kinds = sorted(row["kind"] for row in rows)
    assert kinds == ["certificate-authority", "ct-log", "key", "log", "log", "timestamp-authority"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (KEYLESS[:2], "exactly one of --certificate-oidc-issuer"),
        (("--certificate-identity-regexp", "(a+)+", *KEYLESS[2:4]), "repeated group"),
        (NOTARY[:2], "needs --notary-identity"),
        ((*NOTARY, "--notary-type", "tsa"), '--notary-type "tsa" is not known'),
        ((*NOTARY, "--revocation", "never"), '--revocation "never" is not known'),
        (("--notary-identity", "arn:aws:signer:eu-west-3:111122223333:/signing-profiles/release"), "90a87d05"),
        (("--notary-identity", "*", "--notary-roots", "absent.pem"), "absent.pem"),
        ((*KEYLESS[:4], "--trusted-root", "acme.pem"), "acme.pem: not JSON"),
    ],
)
def test_half_of_a_signer_is_wrong_usage(shell: Shell, flags: tuple[str, ...], said: str) -> None:
    assert said in shell("verify", *flags, IMAGE, status=2)[1]
