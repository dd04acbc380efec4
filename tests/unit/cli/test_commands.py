"""Each command over a layout, in this process: what it prints where, and with which status it ends."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.cli.main import run
from imgtrust.cli.session import Session
from imgtrust.commands.demoauthority import demo_authority
from imgtrust.commands.demodocuments import cyclonedx, provenance
from imgtrust.commands.demoimage import build_image

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@dataclass
class Shell:
    """Runs commands in a folder, with one environment and one clock."""

    environment: dict[str, str]
    now: datetime = NOON

    def __call__(self, *arguments: str, stdin: str = "", status: int = 0) -> tuple[str, str]:
        """Run one; returns standard output and standard error."""
        out, err = io.StringIO(), io.StringIO()
        session = Session(self.environment, now=lambda: self.now, stdin=io.StringIO(stdin), stdout=out, stderr=err)
        ended = run(arguments, session)
        assert ended == status, f"{arguments} ended with {ended}\n{out.getvalue()}{err.getvalue()}"
        assert "Traceback" not in err.getvalue()
        return out.getvalue(), err.getvalue()

    def json(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        """Run one with ``-o json``."""
        document: dict[str, Any] = json.loads(self(*arguments, "-o", "json", status=status)[0])
        return document


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with contextlib.chdir(tmp_path), demo_authority(lambda: NOON - timedelta(hours=1)) as authority:
        Path("tsa.pem").write_bytes(authority.pem)
        build_image("build", "1.4.2", says="hello", built=NOON)
        build_image("build", "plain", says="unsigned", built=NOON)
        shell = Shell({"IMGTRUST_PASSPHRASE": "pw", "IMGTRUST_TSA": authority.url, "LANG": "C.UTF-8"})
        shell("keys", "generate", "release")
        yield shell


@pytest.fixture
def signed(shell: Shell) -> Shell:
    shell("sign", "--key", "release.key", "oci:build:1.4.2")
    return shell


TRUST = ("--key", "release.pub", "--tsa-roots", "tsa.pem")


def test_keys_are_made_shown_and_never_overwritten(shell: Shell) -> None:
    private = Path("release.key")
    assert private.stat().st_mode & 0o777 == 0o600
    facts = shell.json("keys", "show", "release.key")
    assert facts["schema"] == "imgtrust-result/1"
    assert (facts["half"], facts["type"]) == ("private", "p256")
    assert shell.json("keys", "show", "release.pub")["fingerprint"] == facts["fingerprint"]
    assert shell("keys", "public", "release.key")[0] == Path("release.pub").read_text()
    before = private.read_bytes()
    assert "not overwritten" in shell("keys", "generate", "release", status=2)[1]
    assert private.read_bytes() == before


def test_a_key_of_another_tool_is_taken_over(shell: Shell) -> None:
    shell("keys", "generate", "--pkcs8", "--type", "p384", "openssl")
    made = shell.json("keys", "import", "openssl.key", "mine")
    assert made["type"] == "p384"
    assert made["fingerprint"] == shell.json("keys", "show", "openssl.pub")["fingerprint"]


def test_a_wrong_passphrase_a_public_key_and_a_kind_that_is_none_are_wrong_usage(shell: Shell) -> None:
    shell.environment["IMGTRUST_PASSPHRASE"] = "other"
    shell("sign", "--key", "release.key", "oci:build:1.4.2", status=2)
    shell.environment["IMGTRUST_PASSPHRASE"] = "pw"
    shell("sign", "--key", "release.pub", "oci:build:1.4.2", status=2)
    shell("verify", "--key", "release.key", "oci:build:1.4.2", status=2)
    shell("keys", "generate", "--type", "dsa", "x", status=2)
    shell("sign", "oci:build:1.4.2", status=2)
    del shell.environment["IMGTRUST_PASSPHRASE"]
    assert "passphrase" in shell("sign", "--key", "release.key", "oci:build:1.4.2", status=2)[1]


def test_the_passphrase_may_come_from_a_file(shell: Shell) -> None:
    del shell.environment["IMGTRUST_PASSPHRASE"]
    Path("pass").write_text("pw\n")
    shell("sign", "--key", "release.key", "--passphrase-file", "pass", "oci:build:1.4.2")


def test_a_signed_image_is_accepted_and_the_document_has_the_promised_members(signed: Shell) -> None:
    out, err = signed("verify", *TRUST, "--max-age", "90d", "oci:build:1.4.2")
    assert out.startswith("ACCEPTED  oci:build:1.4.2\n")
    assert err == ""
    document = signed.json("verify", *TRUST, "--max-age", "90d", "oci:build:1.4.2")
    assert list(document) == ["schema", "outcome", "judged_at", "tool", "policy", "summary", "images"]
    assert document["schema"] == "imgtrust-report/1"
    assert document["judged_at"] == "2026-11-23T12:00:00Z"
    (image,) = document["images"]
    promised = {
        "reference", "digest", "outcome", "scope", "platforms", "published", "signatures", "refused", "rules",
        "exceptions", "not_checked", "changes_at",
    }  # fmt: skip
    assert promised <= set(image)
    assert image["published"]["earliest"] == "2026-11-23T11:00:00Z"


def test_an_unsigned_image_is_rejected_and_one_that_is_not_there_is_wrong_usage(signed: Shell) -> None:
    assert signed("verify", *TRUST, "oci:build:plain", status=1)[0].startswith("REJECTED")
    signed("verify", *TRUST, "oci:build:none", status=2)
    signed("verify", *TRUST, "oci:nowhere:1", status=2)
    signed("verify", *TRUST, "build:1", status=2)
    signed("inspect", "oci:build:none", status=2)
    signed("pull", "oci:build:none", "--artifact-type", "text/x", status=2)


def test_many_images_have_one_line_each_and_the_failures_at_length(signed: Shell) -> None:
    out, _ = signed("verify", *TRUST, "oci:build:1.4.2", "oci:build:plain", status=1)
    lines = out.splitlines()
    assert lines[0].startswith("ACCEPTED  ")
    assert lines[1].startswith("REJECTED  ")
    assert "REJECTED  oci:build:plain" in lines
    assert lines[-1] == "2 images: 1 accepted, 1 rejected, 0 could not be told"
    jsonl, _ = signed("verify", *TRUST, "-o", "jsonl", "-", stdin="oci:build:1.4.2\noci:build:plain\n", status=1)
    assert [json.loads(line)["outcome"] for line in jsonl.splitlines()] == ["accepted", "rejected"]


def test_reports_are_written_beside_the_answer(signed: Shell) -> None:
    reports = ("--report", "json=v.json", "--report", "markdown=v.md", "--report", "text=v.txt")
    signed("verify", *TRUST, *reports, "-q", "oci:build:1.4.2")
    assert json.loads(Path("v.json").read_text())["outcome"] == "accepted"
    assert "accepted" in Path("v.md").read_text()
    assert Path("v.txt").read_text().startswith("ACCEPTED")
    signed("verify", *TRUST, "--report", "json=none/v.json", "oci:build:1.4.2", status=2)


def test_the_policy_that_flags_mean_judges_as_the_flags_do(signed: Shell) -> None:
    text, _ = signed("verify", *TRUST, "--max-age", "90d", "--print-policy")
    Path("p.toml").write_text(text)
    by_file = signed.json("verify", "--policy", "p.toml", "oci:build:1.4.2")
    by_flags = signed.json("verify", *TRUST, "--max-age", "90d", "oci:build:1.4.2")
    assert by_file["policy"]["digest"] == by_flags["policy"]["digest"]
    assert by_file["images"][0]["rules"] == by_flags["images"][0]["rules"]
    signed.environment["IMGTRUST_POLICY"] = "p.toml"
    assert signed.json("verify", "oci:build:1.4.2")["policy"]["source"] == "p.toml"
    assert signed.json("verify", *TRUST, "oci:build:1.4.2")["policy"]["source"] == "flags"


def test_the_time_of_judgement_can_be_given_and_is_printed(signed: Shell) -> None:
    late = ("--max-age", "90d", "--at", "2030-01-01T00:00:00Z")
    document = signed.json("verify", *TRUST, *late, "oci:build:1.4.2", status=1)
    assert document["judged_at"] == "2030-01-01T00:00:00Z"
    signed("verify", *TRUST, "--at", "2026-11-23T11:30:00", "oci:build:1.4.2", status=2)
    early = ("--require-time", "--at", "2026-11-01T00:00:00Z")
    signed("verify", *TRUST, *early, "oci:build:1.4.2", status=1)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--max-age", "90"), ("--min-soak", "soon"), ("--not-before", "2026-01-01"), ("--count", "0"), ("--count", "3"),
        ("--integrity", "none"), ("--jobs", "0"), ("--timeout", "nan"), ("--client-cert", "x"),
        ("--ca-file", "none.pem"), ("--tsa-roots", "release.pub"), ("--trusted-root", "tsa.pem"), ("--evidence", "x"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_value_that_cannot_be_meant_is_wrong_usage(signed: Shell, wrong: tuple[str, ...]) -> None:
    out, err = signed("verify", "--key", "release.pub", *wrong, "oci:build:1.4.2", status=2)
    assert out == ""
    assert err.startswith("imgtrust: ")


def test_without_an_authority_signing_says_what_is_lost(shell: Shell) -> None:
    del shell.environment["IMGTRUST_TSA"]
    out, err = shell("sign", "--key", "release.key", "oci:build:1.4.2")
    assert out.startswith("signed  oci:build:1.4.2\n")
    assert "no proven time" in err
    assert shell("sign", "--key", "release.key", "-q", "oci:build:1.4.2")[1] == ""


def test_an_authority_that_does_not_answer_is_3_and_nothing_is_attached(shell: Shell) -> None:
    shell.environment["IMGTRUST_TSA"] = "http://127.0.0.1:9"
    out, err = shell("sign", "--key", "release.key", "oci:build:1.4.2", "--timeout", "5", status=3)
    assert out == ""
    assert "127.0.0.1:9" in err
    assert "nothing attached" in shell("inspect", "oci:build:1.4.2")[0]


def test_what_was_signed_is_told_as_data(shell: Shell) -> None:
    document = shell.json("sign", "--key", "release.key", "--annotation", "commit=4f2a", "oci:build:1.4.2")
    assert document["schema"] == "imgtrust-result/1"
    (made,) = document["signed"]
    assert {"reference", "digest", "evidence", "format", "times"} <= set(made)
    assert made["times"][0]["time"] == "2026-11-23T11:00:00Z"
    shell("sign", "--key", "release.key", "--annotation", "commit", "oci:build:1.4.2", status=2)
    shell("sign", "--key", "release.key", "--format", "notary", "oci:build:1.4.2", status=2)
    shell("sign", "--key", "release.key", "--format", "gpg", "oci:build:1.4.2", status=2)


def test_one_image_that_fails_does_not_cost_the_others_their_signature(shell: Shell) -> None:
    out, err = shell("sign", "--key", "release.key", "oci:build:none", "oci:build:1.4.2", status=2)
    assert out.startswith("signed  oci:build:1.4.2")
    assert "has no tag none" in err


def test_an_attestation_is_asked_for_by_its_type(signed: Shell) -> None:
    Path("p.json").write_text(provenance(NOON))
    signed("attest", "--key", "release.key", "--type", "slsa-provenance", "--predicate", "p.json", "oci:build:1.4.2")
    signed("verify", *TRUST, "--evidence", "slsa-provenance", "oci:build:1.4.2")
    signed("verify", *TRUST, "--evidence", "openvex", "oci:build:1.4.2", status=1)
    signed("attest", "--key", "release.key", "--type", "x", "--predicate", "p.json", "oci:build:1.4.2", status=2)
    signed("attest", "--key", "release.key", "--type", "spdx", "--predicate", "none", "oci:build:1.4.2", status=2)
    tree, _ = signed("inspect", *TRUST, "oci:build:1.4.2")
    assert "provenance" in tree
    assert signed.json("inspect", "oci:build:1.4.2")["images"][0]["policy"] is None


def test_an_sbom_is_attached_plain_and_signed_and_the_trusted_one_is_shown(signed: Shell) -> None:
    Path("s.json").write_text(cyclonedx())
    signed("sbom", "attach", "--file", "s.json", "oci:build:1.4.2")
    assert "a claim that nobody trusted signed" in signed("sbom", "show", *TRUST, "oci:build:1.4.2")[1]
    signed("sbom", "attach", "--file", "s.json", "--key", "release.key", "oci:build:1.4.2")
    out, err = signed("sbom", "show", *TRUST, "oci:build:1.4.2")
    assert json.loads(out) == json.loads(cyclonedx())
    assert "signed by release" in err
    assert signed.json("sbom", "show", *TRUST, "oci:build:1.4.2")["sboms"][0]["signers"] == ["release"]
    signed("sbom", "show", "oci:build:plain", status=2)
    signed("sbom", "attach", "--file", "tsa.pem", "oci:build:1.4.2", status=2)


def test_files_are_attached_and_pulled_whole(shell: Shell) -> None:
    Path("note.txt").write_text("all is well")
    made = shell.json("attach", "oci:build:1.4.2", "note.txt", "--artifact-type", "text/x-note")
    assert made["attached"][0]["artifact_type"] == "text/x-note"
    shell("pull", "oci:build:1.4.2", "--artifact-type", "text/x-note", "--dir", "there")
    assert Path("there/note.txt").read_text() == "all is well"
    shell("pull", "oci:build:1.4.2", "--artifact-type", "text/x-note", "--dir", "there", status=2)
    shell("pull", "oci:build:1.4.2", "--artifact-type", "text/x-other", status=2)


def test_a_promotion_is_planned_done_and_done_again(signed: Shell) -> None:
    Path("p.toml").write_text(signed("verify", *TRUST, "--print-policy")[0])
    way = ("--policy", "p.toml", "oci:build:1.4.2", "oci:production")
    assert "would tag" in signed("promote", "--plan", *way)[0]
    assert not Path("production").exists()
    document = signed.json("promote", "--record-key", "release.key", *way)
    assert {"plan", "copied", "skipped", "record", "tags"} <= set(document["promoted"][0])
    again = signed.json("promote", "--record-key", "release.key", *way)["promoted"][0]
    assert again["copied"] == []
    signed("verify", "--policy", "p.toml", "oci:production:1.4.2")


def test_a_promotion_that_is_refused_writes_nothing(signed: Shell) -> None:
    out, _ = signed("promote", *TRUST, "oci:build:plain", "oci:production", status=1)
    assert out.endswith("nothing was written to oci:production\n")
    assert not Path("production").exists()
    signed("promote", *TRUST, "oci:build:1.4.2", status=2)
    signed("promote", *TRUST, "--record-tsa", "https://tsa.example.com", "oci:build:1.4.2", "oci:x", status=2)
    signed("promote", *TRUST, "--integrity", "manifests", "oci:build:1.4.2", "oci:production", status=2)
    signed("promote", *TRUST, "--platform", "plan9/mips", "oci:build:1.4.2", "oci:production", status=2)


def test_an_audit_judges_every_image_and_sums_up(signed: Shell) -> None:
    out, _ = signed("audit", *TRUST, "oci:build", status=1)
    assert out.splitlines()[-1] == "2 images in 1 repository: 1 accepted, 1 rejected, 0 could not be told"
    digest = signed.json("audit", *TRUST, "oci:build", status=1)["policy"]["digest"]
    assert out.splitlines()[-2] == f"judged 2026-11-23 12:00:00 by flags {digest[:19]}"
    whole, _ = signed("audit", *TRUST, "-v", "--at", "2026-11-23T11:30:00Z", "oci:build", status=1)
    assert whole.splitlines()[-2] == f"judged 2026-11-23 11:30:00 by flags {digest}"
    signed("audit", *TRUST, "--fail-on", "never", "oci:build")
    document = signed.json("audit", *TRUST, "oci:build", status=1)
    assert document["summary"] == {"accepted": 1, "rejected": 1, "undecided": 0}
    lines, _ = signed("audit", *TRUST, "-o", "jsonl", "--report", "markdown=a.md", "-", stdin="oci:build\n", status=1)
    assert len(lines.splitlines()) == 2
    assert Path("a.md").exists()
    signed("audit", *TRUST, "--fail-on", "sometimes", "oci:build", status=2)
    signed("audit", *TRUST, status=2)
    signed("audit", *TRUST, "oci:nowhere", status=2)


def test_a_policy_is_started_checked_and_explained(signed: Shell) -> None:
    signed("policy", "init", "p.toml", "--images", "oci:build", "--tsa-roots", "tsa.pem")
    signed("policy", "init", "p.toml", status=2)
    assert signed("policy", "init", "-")[0].startswith("#")
    assert "is a policy" in signed("policy", "check", "p.toml")[0]
    assert signed.json("policy", "check", "--policy", "p.toml")["advice"]
    assert signed.json("policy", "explain", "--policy", "p.toml", "oci:build:9")["scope"] == "oci:build"
    assert "denied" in signed("policy", "explain", "--policy", "p.toml", "oci:other:1")[0]
    assert json.loads(signed("policy", "schema")[0])["title"] == "imgtrust policy"
    Path("p.toml").write_text("version = 1\nsignatues = 2\n")
    assert 'line 2: unknown key "signatues"' in signed("policy", "check", "p.toml", status=2)[1]
    signed("policy", "check", status=2)
    signed("policy", "check", "p.toml", "--policy", "q.toml", status=2)


def test_trust_anchors_are_shown_with_fingerprint_and_window(shell: Shell) -> None:
    packaged = shell.json("trust", "show")["anchors"]
    assert {"log", "certificate-authority", "timestamp-authority"} <= {row["kind"] for row in packaged}
    (key, authority) = shell.json("trust", "show", *TRUST)["anchors"]
    assert key["fingerprint"] == shell.json("keys", "show", "release.pub")["fingerprint"]
    assert authority["kind"] == "timestamp-authority"
    assert "sha256:" in shell("trust", "show", *TRUST)[0]
    Path("w.toml").write_text(
        'version = 1\n[signers.a]\nkey = "release.pub"\nnot_after = 2027-01-01T00:00:00Z\n'
        '[time]\ntsa_roots = ["tsa.pem"]\n[[scopes]]\nimages = ["oci:**"]\nsignatures = { any_of = ["a"] }\n'
    )
    assert "to 2027-01-01T00:00:00Z" in shell("trust", "show", "--policy", "w.toml")[0]


def test_verbose_tells_on_standard_error_and_shows_digests_whole(signed: Shell) -> None:
    out, err = signed("verify", *TRUST, "-v", "oci:build:1.4.2")
    assert "[decided] oci:build:1.4.2" in err
    assert "accepted; integrity pass, signatures pass\n" in err
    digest = signed.json("verify", *TRUST, "oci:build:1.4.2")["images"][0]["digest"]
    assert digest in out
