"""Signing envelopes: which keys and chains sign, and what they make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imgtrust.content import Descriptor
from imgtrust.errors import InputFileError, KeyUnusable
from imgtrust.formats import read
from imgtrust.signers import PassphraseSource
from imgtrust.signers.authority import LocalAuthority
from imgtrust.signers.keyfile import write_pkcs8
from imgtrust.signers.notary import EnvelopeSigner, bare_token, open_envelope_signer
from imgtrust.trust.signatures import VerifiedSignature, assess
from tests.simulators.evidence import IMAGE, MANIFEST
from tests.simulators.notaryenvelopes import AT, SIGNED, evidence, notary, trusting
from tests.simulators.pki import Certified, authority, chain, leaf, new_key, usage

if TYPE_CHECKING:
    from imgtrust.signers.keyfile import PrivateKey

ROOT = authority()
MIDDLE = authority("intermediate", ROOT)
TARGET = Descriptor("application/vnd.oci.image.manifest.v1+json", IMAGE, len(MANIFEST))


def private(certified: Certified) -> PrivateKey:
    return certified.key


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("p256", "ES256"),
        ("p384", "ES384"),
        ("p521", "ES512"),
        ("rsa2048", "PS256"),
        ("rsa3072", "PS384"),
        ("rsa4096", "PS512"),
    ],
)
def test_every_kind_of_key_makes_an_envelope_that_is_believed(kind: str, name: str) -> None:
    signer = leaf(MIDDLE, key=new_key(kind))
    made = EnvelopeSigner(private(signer), chain(signer, MIDDLE, ROOT)).sign_target(
        TARGET, "a", at=SIGNED, stamper=None
    )
    signed = read(evidence(made))
    assert signed.notary is not None
    assert (signed.notary.algorithm, signed.notary.signing_time) == (name, SIGNED)
    assert isinstance(assess(evidence(made), trusting(notary(ROOT)), at=AT), VerifiedSignature)
    assert json.loads(made)["header"]["io.cncf.notary.signingAgent"] == "a"


def test_an_envelope_is_time_stamped_with_the_token_alone() -> None:
    signer = leaf(ROOT)
    tsa = LocalAuthority(lambda: SIGNED, certificates=True)
    made = EnvelopeSigner(private(signer), chain(signer, ROOT)).sign_target(TARGET, "a", at=SIGNED, stamper=tsa)
    found = assess(evidence(made), trusting(notary(ROOT), authorities=(tsa.authority,)), at=AT)
    assert isinstance(found, VerifiedSignature)
    assert found.earliest == SIGNED


@pytest.mark.parametrize("response", [b"", b"x", b"\x30\x00", b"\x30\x05\x30\x03\x02\x01\x02"])
def test_an_answer_without_a_token_is_refused(response: bytes) -> None:
    with pytest.raises(KeyUnusable, match="holds no token"):
        bare_token(response)


def test_a_chain_that_no_verifier_takes_signs_nothing() -> None:
    signer, other = leaf(MIDDLE), leaf(MIDDLE)
    cases = [
        (private(signer), (signer, MIDDLE), "does not end at a root"),
        (private(signer), (ROOT, MIDDLE, signer), "the certificate chain breaks a rule"),
        (private(signer), (), "the certificate chain breaks a rule"),
        (private(signer), (leaf(ROOT, usage=usage("crl_sign")), ROOT), "not for digital signatures"),
        (private(signer), (other, MIDDLE, ROOT), "is not that of the key"),
        (new_key("ed25519"), (other, MIDDLE, ROOT), "expected EC P-256"),
        (new_key("rsa2056"), (other, MIDDLE, ROOT), "expected EC P-256"),
    ]
    for key, certified, reason in cases:
        with pytest.raises(KeyUnusable, match=reason):
            EnvelopeSigner(key, chain(*certified))


def test_a_key_and_its_chain_are_read_from_files(tmp_path: Path) -> None:
    signer = leaf(MIDDLE)
    Path(tmp_path / "key.pem").write_bytes(write_pkcs8(private(signer), b"secret"))
    Path(tmp_path / "chain.pem").write_bytes(signer.pem + MIDDLE.pem + ROOT.pem)
    environment = {"IMGTRUST_PASSPHRASE": "secret"}
    source = PassphraseSource(environment, None, None)
    opened = open_envelope_signer(
        str(tmp_path / "key.pem"), str(tmp_path / "chain.pem"), passphrase=source, environment=environment
    )
    assert (opened.name, opened.chain) == ("CN=leaf,O=Acme,ST=WA,C=US", chain(signer, MIDDLE, ROOT))
    assert repr(opened) == "EnvelopeSigner('CN=leaf,O=Acme,ST=WA,C=US')"
    for name in ("absent.pem", "key.pem"):
        with pytest.raises(InputFileError):
            open_envelope_signer(
                str(tmp_path / "key.pem"), str(tmp_path / name), passphrase=source, environment=environment
            )
