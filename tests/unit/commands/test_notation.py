"""notation's trust policies become policies that mean the same, or less; what they cannot say is said."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from imgtrust.commands.loading import load_policy_file
from imgtrust.commands.notation import Imported, import_notation
from imgtrust.errors import InputFileError, UsageError
from imgtrust.policy.document import read_policy
from imgtrust.policy.values import NotarySigner, Policy
from imgtrust.signers.authority import LocalAuthority
from tests.simulators.notaryenvelopes import AT, PROFILE
from tests.simulators.pki import Certified, authority, leaf
from tests.unit.cli.test_commands import Shell

if TYPE_CHECKING:
    from pathlib import Path

ROOT, OTHER = authority(), authority("other")
TSA = LocalAuthority(lambda: AT).chain[-1]
SUBJECT = "x509.subject: C=US, ST=WA, O=Acme"


def statement(**changes: Any) -> dict[str, Any]:
    """One trust policy."""
    plain: dict[str, Any] = {
        "name": "acme",
        "registryScopes": ["registry.example.com/team/app"],
        "signatureVerification": {"level": "strict"},
        "trustStores": ["ca:acme"],
        "trustedIdentities": [SUBJECT],
    }
    return {**plain, **changes}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a trust store."""
    store = tmp_path / "truststore" / "x509"
    for folder, name, data in (
        ("ca/acme", "root.pem", ROOT.pem),
        ("ca/acme", "other.crt", OTHER.der),
        ("signingAuthority/acme", "root.cer", ROOT.der),
        ("tsa/acme", "tsa.pem", TSA),
        ("tsa/other", "tsa.cer", LocalAuthority(lambda: AT).chain[-1]),
        ("ca/empty", "", b""),
    ):
        (store / folder).mkdir(parents=True, exist_ok=True)
        if name:
            (store / folder / name).write_bytes(data)
    return tmp_path


def imported(home: Path, *statements: dict[str, Any], version: str = "1.0") -> Imported:
    file = home / "trustpolicy.json"
    file.write_text(json.dumps({"version": version, "trustPolicies": list(statements)}))
    return import_notation(file, home / "truststore")


def policy(found: Imported) -> Policy:
    return read_policy(found.text.encode(), "policy.toml")


def test_a_strict_policy_is_carried_over_whole(home: Path) -> None:
    found = imported(home, statement())
    made = policy(found)
    folder = home / "truststore" / "x509" / "ca" / "acme"
    roots = (str(folder / "other.crt"), str(folder / "root.pem"))
    assert made.signers == (NotarySigner("acme-ca", "ca", (SUBJECT,), roots, "enforce"),)
    (scope,) = made.scopes
    assert (scope.name, scope.images, scope.signatures.any_of) == (
        "acme",
        ("registry.example.com/team/app",),
        ("acme-ca",),
    )
    assert (scope.signatures.count, scope.publish.trusted_time, found.not_carried_over) == (1, (), ())
    (home / "policy.toml").write_text(found.text)
    trust = load_policy_file(home / "policy.toml", {}).trust
    assert trust.notary[0].roots == (OTHER.der, ROOT.der)
    assert trust.notary[0].subjects == ((("C", "US"), ("ST", "WA"), ("O", "Acme")),)


def test_the_global_policy_is_for_every_image(home: Path) -> None:
    found = policy(imported(home, statement(registryScopes=["*"], trustedIdentities=["*"])))
    assert (found.scopes[0].images, found.signers[0]) == (("**",), found.signers[0])
    assert isinstance(found.signers[0], NotarySigner)
    assert found.signers[0].identities == ("*",)


@pytest.mark.parametrize(
    ("verification", "revocation", "notes"),
    [
        ({"level": "strict"}, "enforce", 0),
        ({"level": "permissive"}, "log", 2),
        ({"level": "audit"}, "log", 3),
        ({"level": "strict", "override": {"revocation": "skip"}}, "skip", 0),
        ({"level": "strict", "override": {"expiry": "log"}}, "enforce", 1),
        ({"level": "permissive", "override": {"expiry": "enforce", "authenticTimestamp": "enforce"}}, "log", 0),
    ],
)
def test_what_is_only_logged_is_enforced_and_that_is_said(
    home: Path, verification: dict[str, Any], revocation: str, notes: int
) -> None:
    found = imported(home, statement(signatureVerification=verification))
    (signer,) = policy(found).signers
    assert isinstance(signer, NotarySigner)
    assert signer.revocation == revocation
    assert len(found.not_carried_over) == notes
    assert all(f"# not carried over: {note}\n" in found.text for note in found.not_carried_over)


def test_what_is_skipped_is_denied_and_that_is_said(home: Path) -> None:
    skipping = statement(name="open", registryScopes=["a.example/b"], signatureVerification={"level": "skip"})
    found = imported(home, skipping, statement())
    assert [scope.name for scope in policy(found).scopes] == ["acme"]
    assert "a.example/b is denied" in found.not_carried_over[0]
    with pytest.raises(InputFileError, match="nothing is left to import"):
        imported(home, skipping)


def test_a_time_stamp_that_is_demanded_is_a_proven_time(home: Path) -> None:
    stores = ["ca:acme", "tsa:acme"]
    made = policy(imported(home, statement(trustStores=stores)))
    assert made.time.tsa_roots == (str(home / "truststore" / "x509" / "tsa" / "acme" / "tsa.pem"),)
    assert made.scopes[0].publish.trusted_time == ("rfc3161",)
    both = policy(imported(home, statement(trustStores=[*stores, "signingAuthority:acme"])))
    assert both.scopes[0].publish.trusted_time == ("rfc3161", "signing-authority")
    later = imported(
        home,
        statement(trustStores=stores, signatureVerification={"level": "strict", "verifyTimestamp": "afterCertExpiry"}),
    )
    assert policy(later).scopes[0].publish.trusted_time == ()
    assert "afterCertExpiry" in later.not_carried_over[0]
    logged = policy(imported(home, statement(trustStores=stores, signatureVerification={"level": "permissive"})))
    assert logged.scopes[0].publish.trusted_time == ()


def test_each_type_of_store_is_a_signer_of_its_own(home: Path) -> None:
    made = policy(imported(home, statement(trustStores=["ca:acme", "signingAuthority:acme"])))
    kinds = [(each.name, each.notary) for each in made.signers if isinstance(each, NotarySigner)]
    assert kinds == [("acme-ca", "ca"), ("acme-signing-authority", "signing-authority")]
    assert made.scopes[0].signatures.any_of == ("acme-ca", "acme-signing-authority")


def test_profiles_of_aws_signer_are_a_signer_with_a_pinned_root(home: Path) -> None:
    import hashlib  # noqa: PLC0415 - here alone

    made = policy(imported(home, statement(trustStores=["signingAuthority:acme"], trustedIdentities=[PROFILE])))
    (signer,) = made.signers
    assert isinstance(signer, NotarySigner)
    file = home / "truststore" / "x509" / "signingAuthority" / "acme" / "root.cer"
    assert (signer.name, signer.notary, signer.identities) == ("acme-aws", "aws-signer", (PROFILE,))
    assert signer.roots == (f"{file}#sha256:{hashlib.sha256(ROOT.der).hexdigest()}",)
    file.write_bytes(ROOT.pem + OTHER.pem)
    with pytest.raises(InputFileError, match="expected one root"):
        imported(home, statement(trustStores=["signingAuthority:acme"], trustedIdentities=[PROFILE]))


def test_names_are_spelled_as_policies_do_and_each_is_there_once(home: Path) -> None:
    made = policy(
        imported(
            home,
            statement(name="acme, images!", registryScopes=["a.example/a"]),
            statement(name="acme: images", registryScopes=["a.example/b"]),
            statement(name="***", registryScopes=["a.example/c"]),
        )
    )
    assert [signer.name for signer in made.signers] == ["acme-images-ca", "acme-images-ca-2", "ca"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"registryScopes": []}, "registryScopes is no list of texts"),
        ({"registryScopes": [1]}, "registryScopes is no list of texts"),
        ({"registryScopes": "*"}, "registryScopes is no list"),
        ({"trustStores": ["ca"]}, "'ca:' is no trust store"),
        ({"trustStores": ["ca:../acme"]}, "is no trust store"),
        ({"trustStores": ["ca:.."]}, "is no trust store"),
        ({"trustStores": ["ca:ac\x00me"]}, "is no trust store"),
        ({"trustStores": ["other:acme"]}, "is no trust store"),
        ({"trustStores": ["ca:absent"]}, "cannot be read"),
        ({"trustStores": ["ca:empty"]}, "0 certificates"),
        ({"trustStores": ["tsa:acme"]}, "no trust store \\(ca or signingAuthority\\)"),
        ({"trustedIdentities": [PROFILE]}, "no trust store \\(ca or signingAuthority\\)"),
        ({"trustedIdentities": ["x509.subject: O=Acme"]}, "has no C"),
        ({"trustedIdentities": ["Acme"]}, "is no identity"),
        ({"signatureVerification": {"level": "loose"}}, "level 'loose'"),
        ({"signatureVerification": {}}, "level ''"),
        ({"signatureVerification": None}, "expected a JSON object"),
        ({"signatureVerification": {"level": "strict", "override": {"integrity": "log"}}}, "override of 'integrity'"),
        ({"signatureVerification": {"level": "strict", "override": {"expiry": "skip"}}}, "override of 'expiry'"),
        ({"name": 1}, "name is no text"),
        ({"name": ""}, "it has no name"),
        ({"name": None}, "name is no text"),
        ({"registryScopes": ["*", "a.example/b"]}, "the registry scope '\\*' is no repository"),
        ({"registryScopes": ["a.example/*"]}, "the registry scope 'a.example/\\*' is no repository"),
        ({"registryScopes": ["a.example/**"]}, "is no repository"),
        ({"registryScopes": ["a.example"]}, "is no repository"),
        ({"registryScopes": ["a.example/"]}, "is no repository"),
        ({"registryScopes": ["a.example/b:1.0"]}, "is no repository"),
        ({"registryScopes": ["a.example/b@sha256:0"]}, "is no repository"),
        ({"registryScopes": ["a.example/B"]}, "is no repository"),
        ({"registryScopes": ["a.example/b\n"]}, "is no repository"),
        ({"registryScopes": ["https://a.example/b"]}, "is no repository"),
        ({"registryScopes": ["{a,b}.example/b"]}, "is no repository"),
        ({"registryScopes": ["a.example/b", "a.example/b"]}, "the registry scope 'a.example/b' is there twice"),
        ({"trustedIdentities": ["*", SUBJECT]}, "stands beside others"),
        ({"signatureVerification": {"level": "skip", "override": {"expiry": "log"}}}, "skip without an override"),
        ({"signatureVerification": {"level": "strict", "verifyTimestamp": "never"}}, "verifyTimestamp is 'never'"),
        ({"signatureVerification": {"level": "strict", "verifyTimestamp": 1}}, "verifyTimestamp is no text"),
        ({"globalPolicy": True}, "a policy for files"),
    ],
)
def test_a_trust_policy_of_another_form_is_refused(home: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        imported(home, statement(**changes))


def test_a_document_of_another_form_is_refused(home: Path) -> None:
    with pytest.raises(InputFileError, match=r"version '2\.0'"):
        imported(home, statement(), version="2.0")
    with pytest.raises(InputFileError, match="no trustPolicies"):
        imported(home)
    for text, reason in (("{", "not JSON"), ("[]", "expected a JSON object")):
        (home / "p.json").write_text(text)
        with pytest.raises(InputFileError, match=reason):
            import_notation(home / "p.json", home / "truststore")


def test_a_trust_store_is_found_where_notation_keeps_it(home: Path) -> None:
    file = home / "trustpolicy.json"
    first = imported(home, statement()).text
    for folder in (home, home / "truststore", home / "truststore" / "x509"):
        assert import_notation(file, folder).text == first
    (home / "elsewhere").mkdir()
    with pytest.raises(InputFileError, match="not a trust store"):
        import_notation(file, home / "elsewhere")


def test_a_name_and_a_scope_are_there_once_in_all_trust_policies(home: Path) -> None:
    with pytest.raises(InputFileError, match="the name 'acme' is there twice"):
        imported(home, statement(), statement(registryScopes=["a.example/b"]))
    with pytest.raises(InputFileError, match=r"the registry scope '\*' is there twice"):
        imported(home, statement(registryScopes=["*"]), statement(name="b", registryScopes=["*"]))


@pytest.mark.parametrize(
    "scope",
    [
        "localhost/a",
        "a.example:5000/b/c",
        "111122223333.dkr.ecr.eu-west-3.amazonaws.com/a__b/c--d",
        "A.example/b.c-d_e",
    ],
)
def test_a_scope_is_a_whole_repository(home: Path, scope: str) -> None:
    assert policy(imported(home, statement(registryScopes=[scope]))).scopes[0].images == (scope,)


def test_what_is_skipped_is_judged_like_the_rest_where_there_is_one(home: Path) -> None:
    skipping = statement(name="open", registryScopes=["a.example/b"], signatureVerification={"level": "skip"})
    found = imported(home, skipping, statement(registryScopes=["*"]))
    assert "a.example/b is judged as **" in found.not_carried_over[0]
    rest = imported(
        home, statement(), statement(name="o", registryScopes=["*"], signatureVerification={"level": "skip"})
    )
    assert "here ** is denied" in rest.not_carried_over[0]


def test_what_nobody_knows_is_said(home: Path) -> None:
    found = imported(
        home,
        statement(signatureVerification={"level": "strict", "verifyTimestamps": "always"}, trustedIdentity=["*"]),
    )
    assert found.not_carried_over == (
        "acme: 'trustedIdentity' is not known, and passed over",
        "acme: 'verifyTimestamps' is not known, and passed over",
    )


def test_an_identity_that_nobody_can_have_is_said(home: Path) -> None:
    found = imported(home, statement(trustedIdentities=[SUBJECT, PROFILE]))
    (signer,) = policy(found).signers
    assert isinstance(signer, NotarySigner)
    assert signer.identities == (SUBJECT,)
    assert found.not_carried_over == (
        f"acme: the identity {PROFILE} is of none of its trust stores, so that nobody has it",
    )


def test_who_may_time_stamp_elsewhere_too_is_said(home: Path) -> None:
    one = statement(trustStores=["ca:acme", "tsa:acme"])
    two = statement(name="two", registryScopes=["a.example/b"], trustStores=["ca:acme", "tsa:acme"])
    assert imported(home, one, two).not_carried_over == ()
    file = str(home / "truststore" / "x509" / "tsa" / "acme" / "tsa.pem")
    other = str(home / "truststore" / "x509" / "tsa" / "other" / "tsa.cer")
    for stores, counted in ((["ca:acme"], file), (["ca:acme", "tsa:other"], file)):
        found = imported(home, one, {**two, "trustStores": stores})
        (note, *more) = [note for note in found.not_carried_over if note.startswith("two: ")]
        assert note.startswith("two: who may time-stamp is one list for all scopes here")
        assert note.endswith(f": {counted}")
        assert more == []
        assert [each.endswith(other) for each in found.not_carried_over if each.startswith("acme: ")] == (
            [True] if len(stores) == 2 else []
        )


@pytest.mark.parametrize(("revocation", "said"), [("enforce", False), ("log", True), ("skip", True)])
def test_a_time_stamp_authority_that_is_not_asked_about_is_said(home: Path, revocation: str, *, said: bool) -> None:
    verification = {"level": "strict", "override": {"revocation": revocation}}
    stamped = statement(trustStores=["ca:acme", "tsa:acme"], signatureVerification=verification)
    notes = imported(home, stamped).not_carried_over
    assert [f"({revocation})" in note for note in notes] == ([True] if said else [])
    assert imported(home, statement(signatureVerification=verification)).not_carried_over == ()


def test_a_name_ends_no_comment(home: Path) -> None:
    evil = "a\n[signers.evil]\nkey = 'evil.pub'\n#\x1b[2J\u202e"
    found = imported(home, statement(name=evil, signatureVerification={"level": "permissive"}))
    assert [each.name for each in policy(found).signers] == ["a-signers-evil-key-evil-pub-2J-ca"]
    assert all(note.isprintable() for note in found.not_carried_over)
    assert all(line.isprintable() for line in found.text.splitlines() if line.startswith("#"))


@pytest.mark.parametrize("kind", ["folder", "link", "name", "text", "leaf", "linked"])
def test_a_trust_store_holds_certificates_and_nothing_else(home: Path, kind: str) -> None:
    folder = home / "truststore" / "x509" / "ca" / "acme"
    match kind:
        case "folder":
            (folder / "more.pem").mkdir()
        case "link":
            (folder / "more.pem").symlink_to(folder / "root.pem")
        case "name":
            (folder / "README").write_bytes(ROOT.pem)
        case "leaf":
            (folder / "more.pem").write_bytes(leaf(ROOT).pem)
        case "linked":
            folder.rename(folder.with_name("moved"))
            folder.symlink_to(folder.with_name("moved"))
        case _:
            (folder / "more.pem").write_bytes(b"text")
    with pytest.raises(InputFileError):
        imported(home, statement())


@pytest.mark.parametrize(
    ("kind", "certified", "taken"),
    [
        ("ca", OTHER, True),
        ("ca", authority("intermediate", ROOT), True),
        ("ca", leaf(None), True),
        ("ca", leaf(ROOT), False),
        ("ca", leaf(ROOT, ca=False), False),
        ("tsa", OTHER, True),
        ("tsa", authority("intermediate", ROOT), False),
        ("tsa", leaf(None), False),
        ("tsa", leaf(None, ca=False), False),
    ],
    ids=["root", "intermediate", "own", "leaf", "no authority", "t-root", "t-intermediate", "t-own", "t-leaf"],
)
def test_a_trust_store_takes_what_notation_takes(home: Path, kind: str, certified: Certified, *, taken: bool) -> None:
    (home / "truststore" / "x509" / kind / "acme" / "more.pem").write_bytes(certified.pem)
    stamped = statement(trustStores=["ca:acme", "tsa:acme"])
    if taken:
        assert "more.pem" in imported(home, stamped).text
        return
    with pytest.raises(InputFileError, match=f"takes into no store of type {kind}"):
        imported(home, stamped)


def test_the_command_prints_a_policy_and_says_what_it_left_out(home: Path) -> None:
    imported(home, statement(signatureVerification={"level": "permissive"}))
    shell = Shell({"LANG": "C.UTF-8"})
    names = (str(home / "trustpolicy.json"), str(home / "truststore"))
    out, err = shell("policy", "import", "notation", *names)
    assert tomllib.loads(out)["signers"]["acme-ca"]["notary"] == "ca"
    assert "not carried over" in err
    told = shell.json("policy", "import", "notation", *names)
    assert len(told["not_carried_over"]) == 2
    shell("policy", "import", "notation", str(home / "absent.json"), names[1], status=2)
