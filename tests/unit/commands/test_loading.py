"""Policies and what they name: files, variables and inline keys become a judgement, or one clear message."""

from __future__ import annotations

import base64
import logging
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust import strict_json
from imgtrust.commands.judge import judge_reference
from imgtrust.commands.loading import PUBLIC_GOOD, load_flags, load_policy_file, read_input, read_key_reference
from imgtrust.errors import InputFileError, KeyUnusable, PolicyError, UsageError
from imgtrust.policy.flags import Shorthand
from imgtrust.policy.writing import write_policy
from imgtrust.reference import Digest, Reference
from tests.simulators.attached import attach_keyless
from tests.simulators.evidence import Key
from tests.simulators.fulcio import EMAIL, ISSUER, WHEN
from tests.simulators.gate import Publisher
from tests.simulators.images import image, push
from tests.simulators.memory import MemoryStore
from tests.simulators.sigstore import Signer, VirtualSigstore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from imgtrust.commands.loading import Judgement
    from imgtrust.policy.verdict import Verdict

RELEASE = Publisher("release")
PEM = RELEASE.signer.public_key.pem.decode()
NONE: Mapping[str, str] = {}
POLICY = """version = 1
[signers.release]
key = "keys/release.pub"
not_before = 2026-01-01T00:00:00Z
[time]
tsa_roots = ["keys/tsa.pem"]
[[scopes]]
images = ["registry.example.com/team/**"]
signatures = { any_of = ["release"] }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "release.pub").write_text(PEM)
    (tmp_path / "keys" / "tsa.pem").write_bytes(RELEASE.authority.pem)
    (tmp_path / "gate.toml").write_text(POLICY)
    return tmp_path


def test_paths_in_a_policy_start_from_its_own_folder(folder: Path) -> None:
    found = load_policy_file(folder / "gate.toml", NONE)
    assert [(key.name, key.key) for key in found.trust.keys] == [("release", RELEASE.signer.public_key)]
    assert found.trust.keys[0].not_before is not None
    assert [item.roots for item in found.trust.authorities] == [RELEASE.authority.chain[-1:]]
    assert found.policy_id.digest == Digest.of(POLICY.encode())
    assert found.policy_id.source == str(folder / "gate.toml")


def test_a_policy_with_an_error_is_refused_with_its_line(folder: Path) -> None:
    (folder / "gate.toml").write_text(POLICY.replace("signatures", "signatues"))
    with pytest.raises(PolicyError, match="signatures") as caught:
        load_policy_file(folder / "gate.toml", NONE)
    assert caught.value.line == 9


@pytest.mark.parametrize(
    ("what", "content"),
    [
        ("keys/release.pub", None),
        ("keys/release.pub", ""),
        ("keys/release.pub", "no key"),
        ("keys/tsa.pem", None),
        ("keys/tsa.pem", "no chain"),
        ("gate.toml", None),
    ],
)
def test_a_file_that_cannot_be_used_is_named(folder: Path, what: str, content: str | None) -> None:
    if content is None:
        (folder / what).unlink()
    else:
        (folder / what).write_text(content)
    with pytest.raises(UsageError, match=what):
        load_policy_file(folder / "gate.toml", NONE)


def test_flags_make_a_judgement_whose_digest_is_that_of_the_policy_they_mean(folder: Path) -> None:
    key = str(folder / "keys" / "release.pub")
    found = load_flags(Shorthand(keys=(key,)), NONE)
    assert found.policy_id.source == "flags"
    assert found.policy_id.digest == Digest.of(write_policy(found.policy).encode())
    assert [item.key for item in found.trust.keys] == [RELEASE.signer.public_key]
    assert found.trust.authorities == ()


def test_flags_that_ask_for_dates_mean_the_packaged_trusted_root_and_say_so(folder: Path) -> None:
    key = str(folder / "keys" / "release.pub")
    found = load_flags(Shorthand(keys=(key,), max_age=timedelta(days=1)), NONE)
    assert found.policy.time.trusted_root == PUBLIC_GOOD
    assert found.trust.authorities
    assert PUBLIC_GOOD in write_policy(found.policy)


def test_a_trusted_root_that_is_named_takes_the_place_of_the_packaged_one(folder: Path) -> None:
    key, root = str(folder / "keys" / "release.pub"), str(folder / "root.json")
    with pytest.raises(InputFileError, match=r"root\.json"):
        load_flags(Shorthand(keys=(key,), trusted_root=root, require_time=True), NONE)


def test_a_key_can_stand_in_the_environment(folder: Path) -> None:
    found = load_flags(Shorthand(keys=("env://RELEASE_KEY",)), {"RELEASE_KEY": PEM})
    assert [item.key for item in found.trust.keys] == [RELEASE.signer.public_key]
    with pytest.raises(KeyUnusable, match="RELEASE_KEY"):
        load_flags(Shorthand(keys=("env://RELEASE_KEY",)), NONE)
    assert folder.exists()


def test_a_key_can_stand_in_the_policy_itself(folder: Path) -> None:
    text = POLICY.replace('"keys/release.pub"', f'"""{PEM}"""')
    (folder / "gate.toml").write_text(text)
    assert load_policy_file(folder / "gate.toml", NONE).trust.keys[0].key == RELEASE.signer.public_key


def test_a_message_about_an_inline_key_does_not_repeat_it() -> None:
    bad = "-----BEGIN PUBLIC KEY-----\nbm9uc2Vuc2U=\n-----END PUBLIC KEY-----\n"
    with pytest.raises(KeyUnusable, match="inline PEM") as caught:
        load_flags(Shorthand(keys=(bad,)), NONE)
    assert "bm9uc2Vuc2U" not in str(caught.value)


@pytest.mark.parametrize("name", ["awskms:///alias/release", "https://example.com/key"])
def test_a_key_by_a_scheme_that_is_not_read_is_refused(name: str) -> None:
    with pytest.raises(KeyUnusable):
        read_key_reference(name, NONE, Path())


@pytest.mark.parametrize("name", ["nothing", ".", "bad\0name"])
def test_what_cannot_be_opened_is_an_input_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputFileError, match="cannot read the letter"):
        read_input(tmp_path / name, "the letter")


def test_a_file_that_never_ends_is_not_read_to_its_end() -> None:
    with pytest.raises(InputFileError, match="larger than"):
        read_input(Path("/dev/zero"), "the letter")


ROOT = (Path(__file__).parents[3] / "keys" / "sigstore-public-good.trusted_root.json").read_text()
KEYLESS = """
[signers.ci]
sigstore = "public-good"
issuer = "https://issuer.example"
identity_regexp = ".+@acme[.]example"
build_trigger = "push"
[signers.people]
sigstore = "acme"
issuer_regexp = "https://.*"
identity = "a@acme.example"
log = false
[signers.twin]
sigstore = "acme"
issuer = "https://issuer.example"
identity = "b@acme.example"
[sigstore.acme]
trusted_root = "keys/root.json"
"""
NOTARY = """
[signers.acme]
notary = "ca"
roots = ["keys/tsa.pem"]
identities = ["x509.subject: C=US, ST=WA, O=Acme", "*"]
revocation = "skip"
"""
AWS = """
[signers.aws]
notary = "aws-signer"
profile = "arn:aws:signer:eu-west-3:111122223333:/signing-profiles/release"
"""


def test_keyless_signers_become_identities_under_the_root_that_they_name(folder: Path) -> None:
    (folder / "keys" / "root.json").write_text(ROOT)
    (folder / "gate.toml").write_text(POLICY + KEYLESS)
    ci, people, twin = load_policy_file(folder / "gate.toml", NONE).trust.identities
    assert (ci.name, ci.root.name, ci.issuer, ci.extensions) == (
        "ci",
        "public-good",
        "https://issuer.example",
        (("build_trigger", "push"),),
    )
    assert not isinstance(ci.identity, str)
    assert ci.identity.fullmatch("x@acme.example")
    assert (people.root.name, people.identity, people.log, ci.log) == ("acme", "a@acme.example", False, True)
    assert not isinstance(people.issuer, str)
    assert people.root is twin.root
    assert ci.root.raw == people.root.raw


def test_a_keyless_signer_among_flags_means_the_packaged_root(folder: Path) -> None:
    flags = Shorthand(identity="a@acme.example", issuer="https://issuer.example", require_time=True)
    (identity,) = load_flags(flags, NONE).trust.identities
    assert identity.root.name == PUBLIC_GOOD
    (folder / "root.json").write_text(ROOT.replace("rekor.sigstore.dev", "rekor.acme.example"))
    own = load_flags(replace(flags, trusted_root=str(folder / "root.json")), NONE).trust
    assert own.identities[0].root.logs[0].origin == "rekor.acme.example"
    assert [log.origin for log in own.logs] == [log.origin for log in own.identities[0].root.logs]
    assert own.authorities


@pytest.mark.parametrize("publish", ["", 'publish = { trusted_time = ["tsa"] }', 'publish = { max_age = "9d" }'])
def test_the_logs_of_a_trusted_root_that_a_policy_names_are_always_known(folder: Path, publish: str) -> None:
    (folder / "keys" / "root.json").write_text(ROOT)
    assert load_policy_file(folder / "gate.toml", NONE).trust.logs == ()
    text = POLICY.replace('tsa_roots = ["keys/tsa.pem"]', 'trusted_root = "keys/root.json"')
    (folder / "gate.toml").write_text(f"{text}{publish}\n")
    found = load_policy_file(folder / "gate.toml", NONE).trust
    assert "rekor.sigstore.dev" in {log.origin for log in found.logs}
    assert found.authorities


LOGGED = """version = 1
[signers.release]
key = "release.pub"
[time]
trusted_root = "acme.json"
[[scopes]]
images = ["**"]
signatures = { any_of = ["release"] }
publish = { trusted_time = [SOURCES] }
"""


@pytest.fixture
def logged(tmp_path: Path) -> VirtualSigstore:
    """A Sigstore whose root is in a file, beside a key."""
    instance = VirtualSigstore()
    (tmp_path / "acme.json").write_bytes(strict_json.dumps(instance.document()))
    (tmp_path / "release.pub").write_bytes(KEY.public.pem)
    return instance


KEY = Key.new()


def published(
    judgement: Judgement, instance: VirtualSigstore, entry: Callable[[dict[str, Any]], Any] | None
) -> Verdict:
    """The verdict on an image that was signed with ``KEY`` and logged, ``entry`` changing what the bundle says."""
    store = MemoryStore()
    root = push(store, image("a"), "1")
    attach_keyless(store, root, instance, Signer(KEY), entry=entry)
    return judge_reference(store, Reference(store.repository, "1"), judgement, at=WHEN + timedelta(days=1))


@pytest.mark.parametrize(
    ("sources", "outcome"), [('"rekor"', "accepted"), ('"tsa", "rekor"', "accepted"), ('"tsa"', "rejected")]
)
def test_a_promise_of_a_log_dates_a_signature_by_a_key_where_the_policy_takes_it(
    tmp_path: Path, logged: VirtualSigstore, sources: str, outcome: str
) -> None:
    (tmp_path / "gate.toml").write_text(LOGGED.replace("SOURCES", sources))
    verdict = published(load_policy_file(tmp_path / "gate.toml", NONE), logged, None)
    assert verdict.outcome == outcome
    assert (verdict.published.source, verdict.published.earliest) == ("rekor", WHEN)


def test_flags_with_a_trusted_root_take_the_promise_of_its_logs_too(tmp_path: Path, logged: VirtualSigstore) -> None:
    flags = Shorthand(keys=(str(tmp_path / "release.pub"),), require_time=True)
    own = replace(flags, trusted_root=str(tmp_path / "acme.json"))
    assert published(load_flags(own, NONE), logged, None).outcome == "accepted"
    verdict = published(load_flags(flags, NONE), logged, None)
    assert (verdict.outcome, verdict.published.source) == ("rejected", "none")


def test_an_entry_about_another_signature_dates_none_and_takes_the_signature_with_it(
    tmp_path: Path, logged: VirtualSigstore
) -> None:
    (tmp_path / "gate.toml").write_text(LOGGED.replace("SOURCES", '"rekor"'))
    other = logged.bundle(Signer(KEY))["verificationMaterial"]["tlogEntries"][0]
    verdict = published(load_policy_file(tmp_path / "gate.toml", NONE), logged, lambda entry: entry.update(other))
    assert verdict.outcome == "rejected"
    assert verdict.facts is not None
    assert [item.code for item in verdict.facts.root.refusals] == ["log.inconsistent"]
    assert verdict.published.source == "none"


def test_the_logs_of_a_keyless_signer_prove_nothing_about_a_key(tmp_path: Path, logged: VirtualSigstore) -> None:
    root = str(tmp_path / "acme.json")
    keyless = Shorthand((str(tmp_path / "release.pub"),), identity=EMAIL, issuer=ISSUER, trusted_root=root)
    trust = replace(load_flags(keyless, NONE).trust, logs=())
    assert trust.identities[0].root.logs
    verdict = published(replace(load_flags(keyless, NONE), trust=trust), logged, None)
    assert (verdict.outcome, verdict.published.source) == ("accepted", "none")
    assert any("of no log that is trusted" in text for text in verdict.not_checked)


def test_notary_signers_become_roots_and_names(folder: Path) -> None:
    (folder / "gate.toml").write_text(POLICY + NOTARY)
    (signer,) = load_policy_file(folder / "gate.toml", NONE).trust.notary
    assert (signer.name, signer.kind, signer.revocation, signer.profiles) == ("acme", "ca", "skip", ())
    assert signer.subjects == ((("C", "US"), ("ST", "WA"), ("O", "Acme")), ())
    assert set(signer.roots) == set(RELEASE.authority.chain)


def test_aws_signer_without_a_root_says_where_to_get_it_and_its_fingerprint(folder: Path) -> None:
    (folder / "gate.toml").write_text(POLICY + AWS)
    with pytest.raises(InputFileError, match=r"sha256:90a87d05.* is checked"):
        load_policy_file(folder / "gate.toml", NONE)


def test_aws_signer_takes_another_root_only_by_its_fingerprint(folder: Path) -> None:
    (folder / "keys" / "one.pem").write_bytes(pem := root_of(RELEASE))
    named = AWS + f'roots = ["{folder}/keys/one.pem"]\n'
    (folder / "gate.toml").write_text(POLICY + named)
    with pytest.raises(InputFileError, match=r"expected sha256:90a87d05.* name it as .*one\.pem#sha256:FINGERPRINT"):
        load_policy_file(folder / "gate.toml", NONE)
    seen = sha256(RELEASE.authority.chain[-1]).hexdigest()
    (folder / "gate.toml").write_text(POLICY + named.replace("one.pem", f"one.pem#sha256:{seen}"))
    (signer,) = load_policy_file(folder / "gate.toml", NONE).trust.notary
    assert (signer.roots, signer.subjects) == ((RELEASE.authority.chain[-1],), ())
    assert signer.profiles == ("arn:aws:signer:eu-west-3:111122223333:/signing-profiles/release",)
    (folder / "keys" / "one.pem").write_bytes(pem + RELEASE.authority.pem)
    with pytest.raises(InputFileError, match=f"expected sha256:{seen}"):
        load_policy_file(folder / "gate.toml", NONE)


def root_of(publisher: Publisher) -> bytes:
    body = base64.encodebytes(publisher.authority.chain[-1])
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def test_a_policy_of_keys_imports_no_certificates() -> None:
    script = """
import sys
from pathlib import Path
from imgtrust.commands.loading import load_flags
from imgtrust.policy.flags import Shorthand
load_flags(Shorthand(keys=(sys.argv[1],)), {})
print([name for name in ("cryptography.x509", "sigstore", "imgtrust.policy.patterns") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script, PEM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_warnings_of_the_second_opinion_are_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    load_flags(Shorthand(identity="a@acme.example", issuer="https://issuer.example"), NONE)
    logging.getLogger("sigstore.models").warning("this bundle contains a root CA")
    assert capfd.readouterr().err == ""
