"""Signers for Python: identities, logs for keys and Notary certificates, and what is said in the words of Python."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import imgtrust
from imgtrust.formats.mediatypes import NOTARY_ARTIFACT
from imgtrust.predicates.summary import VSA
from imgtrust.signers.keyfile import write_pkcs8
from imgtrust.trust.times import TimeSource
from tests.simulators.gate import layout
from tests.simulators.images import image, push
from tests.simulators.loopback import Reply
from tests.simulators.pki import chain, leaf
from tests.simulators.sigstoreserver import FULCIO, ISSUER, PERSON, REKOR, TSA, SigstoreServer, token
from tests.simulators.sigstoreworld import SigstoreWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgtrust.signers.port import Signer

WHO = f"{PERSON} ({ISSUER})"


@dataclass
class Desk:
    """A world whose folder is the working directory, with a key that a policy trusts."""

    world: SigstoreWorld
    signer: Signer

    def keyless(self, **changes: Any) -> imgtrust.Keyless:
        """An identity of the instance."""
        usual = {"token": token(), "signing_config": "signing_config.json", "trusted_root": "trusted_root.json"}
        return imgtrust.Keyless(**{**usual, **changes})

    @property
    def sigstore(self) -> SigstoreServer:
        """The services."""
        return self.world.sigstore


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with SigstoreServer() as sigstore, contextlib.chdir(tmp_path):
        store = layout(tmp_path / "ci")
        world = SigstoreWorld(tmp_path, store, push(store, image("app"), "1"), sigstore)
        sigstore.write(tmp_path)
        Path("k.key").write_bytes(write_pkcs8(world.key.private, b""))
        Path("k.pub").write_bytes(world.key.public.pem)
        Path("gate.toml").write_text(
            'version = 1\n[signers.k]\nkey = "k.pub"\n[[scopes]]\nimages = ["oci:ci", "oci:there"]\n'
            'promote_to = ["oci:there"]\nsignatures = { any_of = ["k"] }\n'
        )
        yield Desk(world, imgtrust.open_signer("k.key", environment={}))
        store.close()


def test_the_values_cost_no_sigstore() -> None:
    code = (
        "import sys, imgtrust; imgtrust.Keyless(token='t'); imgtrust.Logs('root.json');"
        " heavy = {'sigstore', 'boto3', 'dask', 'cryptography.x509', 'urllib3'} & set(sys.modules);"
        " sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_image_and_a_statement_are_signed_as_an_identity(desk: Desk) -> None:
    (signed,) = imgtrust.sign(["oci:ci:1"], desk.keyless())
    assert signed.signer == WHO
    assert signed.logged == ((desk.sigstore.base, 2),)
    imgtrust.attest(["oci:ci:1"], {"fine": True}, "https://example.com/review/v1", desk.keyless())
    assert len(desk.world.believed()) == 2


def test_a_token_is_asked_for_with_each_certificate_and_never_shown(desk: Desk) -> None:
    asked: list[str] = []

    def fresh() -> str:
        asked.append(token())
        return asked[-1]

    who = desk.keyless(token=fresh)
    imgtrust.sign(["oci:ci:1"], who)
    imgtrust.sign(["oci:ci:1"], who)
    assert len(asked) == 2
    assert asked[0] not in repr(who)
    assert token() not in repr(desk.keyless(token=token()))


def test_addresses_do_instead_of_a_config(desk: Desk) -> None:
    base = desk.sigstore.base
    who = desk.keyless(signing_config=None, fulcio_url=base, rekor_url=base, tsa=base + TSA)
    imgtrust.sign(["oci:ci:1"], who)
    clock = imgtrust.open_timestamper(base + TSA)
    imgtrust.sign(["oci:ci:1"], desk.keyless(), timestampers=[clock, clock])
    assert sorted(len(each.times) for each in desk.world.believed()) == [1, 2]


def test_no_log_is_written_to_where_none_is_wanted(desk: Desk) -> None:
    imgtrust.sign(["oci:ci:1"], desk.keyless(log=False))
    assert not desk.sigstore.asked(REKOR)
    assert desk.world.believed(log=False)


def test_a_signature_by_key_is_logged(desk: Desk) -> None:
    for logs in (
        imgtrust.Logs(Path("trusted_root.json"), signing_config="signing_config.json"),
        imgtrust.Logs("trusted_root.json", desk.sigstore.base),
        imgtrust.Logs("trusted_root.json", [desk.sigstore.base]),
    ):
        (signed,) = imgtrust.sign(["oci:ci:1"], desk.signer, logs=logs)
        assert len(signed.logged) == 1
    imgtrust.attest(["oci:ci:1"], {}, "https://example.com/review/v1", desk.signer, logs=logs)
    assert len(desk.sigstore.asked(REKOR)) == 4
    assert not desk.sigstore.asked(FULCIO)


def test_a_promotion_leaves_a_record_by_an_identity_or_by_a_key_with_time_and_log(desk: Desk) -> None:
    imgtrust.sign(["oci:ci:1"], desk.signer)
    result = imgtrust.promote("oci:ci:1", "oci:there:a", "gate.toml", record_signer=desk.keyless())
    assert (result.recorder, len(result.record_logged)) == (WHO, 1)
    assert [time.source for time in result.record_times] == [TimeSource.RFC3161]
    clock = imgtrust.open_timestamper(desk.sigstore.base + TSA)
    again = imgtrust.promote(
        "oci:ci:1",
        "oci:there:b",
        "gate.toml",
        record_signer=desk.signer,
        record_timestampers=[clock],
        record_logs=imgtrust.Logs("trusted_root.json", desk.sigstore.base),
    )
    assert [len(again.record_logged), len(again.record_times)] == [1, 1]
    with contextlib.closing(layout(Path("there"))) as there:
        believed = desk.world.believed(store=there)
        assert [each.predicate_type for each in believed] == [VSA]
        assert {"a", "b"} <= set(there.tags())


def test_a_promotion_whose_record_cannot_be_signed_copies_nothing(desk: Desk) -> None:
    imgtrust.sign(["oci:ci:1"], desk.signer)
    desk.sigstore.fault(FULCIO, reply=Reply(503), times=None)
    with pytest.raises(imgtrust.ImgtrustError, match="did not answer") as caught:
        imgtrust.promote("oci:ci:1", "oci:there", "gate.toml", record_signer=desk.keyless())
    assert caught.value.exit_status == 3
    assert not Path("there").exists()


def test_a_notary_certificate_signs_images_and_no_statements(desk: Desk) -> None:
    own = leaf(None)
    Path("acme.key").write_bytes(write_pkcs8(own.key, b""))
    Path("acme.pem").write_bytes(b"".join(each_pem(each) for each in chain(own)))
    signer = imgtrust.open_notary_signer("acme.key", "acme.pem", environment={})
    (signed,) = imgtrust.sign(["oci:ci:1"], signer)
    assert signed.format == "notary-jws"
    assert [each.artifact_type for each in desk.world.store.referrers(desk.world.root)] == [NOTARY_ARTIFACT]
    imgtrust.sign(["oci:ci:1"], desk.signer)
    with pytest.raises(imgtrust.ImgtrustError, match="no place for a statement"):
        imgtrust.promote("oci:ci:1", "oci:there", "gate.toml", record_signer=signer)  # type: ignore[arg-type]  # that is the test
    assert not Path("there").exists()


def each_pem(der: bytes) -> bytes:
    from cryptography import x509  # noqa: PLC0415 - only here
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"token": "no token"}, "the token that was given holds no identity token"),
        ({"signing_config": None, "fulcio_url": "https://f"}, "fulcio_url without a log: give rekor_url too, or log="),
        ({"rekor_url": "https://r"}, "signing_config says where the services are; leave out fulcio_url and rekor_url"),
        (
            {"signing_config": None, "rekor_url": "https://r", "tsa": "https://t"},
            "give fulcio_url, or a signing_",
        ),
        ({"trusted_root": None}, "needs its trusted_root FILE"),
    ],
)
def test_what_lacks_a_part_is_said_in_the_words_of_python(desk: Desk, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(imgtrust.ImgtrustError) as caught:
        imgtrust.sign(["oci:ci:1"], desk.keyless(**changes))
    assert said in str(caught.value)
    assert "--" not in str(caught.value)
    assert caught.value.exit_status == 2
    assert desk.world.nothing_attached()


def test_without_a_token_anywhere_it_is_said_what_to_give(desk: Desk) -> None:
    options = imgtrust.StoreOptions(environment={})
    with pytest.raises(imgtrust.ImgtrustError, match="give token, or set SIGSTORE_ID_TOKEN"):
        imgtrust.sign(["oci:ci:1"], desk.keyless(token=None), options=options)
    options = imgtrust.StoreOptions(environment={"SIGSTORE_ID_TOKEN": token()})
    assert imgtrust.sign(["oci:ci:1"], desk.keyless(token=None), options=options)[0].signer == WHO


def test_logs_go_with_a_key_alone(desk: Desk) -> None:
    logs = imgtrust.Logs("trusted_root.json", desk.sigstore.base)
    with pytest.raises(imgtrust.ImgtrustError, match="logs go with a signer by key"):
        imgtrust.sign(["oci:ci:1"], desk.keyless(), logs=logs)
    assert desk.world.nothing_attached()
