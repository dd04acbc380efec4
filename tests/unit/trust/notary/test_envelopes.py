"""The key of the certificate alone decides the algorithm, and only its own signature counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgtrust.errors import Refused
from imgtrust.formats import read
from imgtrust.refusals import RefusalCode
from imgtrust.trust.notary.envelopes import algorithm_of, check_signature
from imgtrust.trust.signatures import VerifiedSignature, assess
from tests.simulators.notaryenvelopes import AT, COSE, cose, evidence, header, jws, notary, sign, trusting
from tests.simulators.pki import authority, leaf, new_key

ROOT = authority()
KEYS = {"p256": "ES256", "p384": "ES384", "p521": "ES512", "rsa2048": "PS256", "rsa3072": "PS384", "rsa4096": "PS512"}


@pytest.mark.parametrize(("kind", "name"), KEYS.items(), ids=KEYS)
def test_each_key_has_its_one_algorithm(kind: str, name: str) -> None:
    signer = (leaf(ROOT, key=new_key(kind)), ROOT)
    found = algorithm_of(signer[0].key.public_key())
    assert found is not None
    assert found.name == name
    for data in (evidence(jws(signer)), evidence(cose(signer), COSE)):
        signed = read(data)
        check_signature(signed, name, signer[0].key.public_key())
        assert isinstance(assess(data, trusting(notary(ROOT)), at=AT), VerifiedSignature)
        for other in set(KEYS.values()) - {name} | {"RS256", "none", ""}:
            with pytest.raises(Refused, match="the algorithm is") as caught:
                check_signature(signed, other, signer[0].key.public_key())
            assert caught.value.code is RefusalCode.NOTARY_ALGORITHM


@pytest.mark.parametrize("kind", ["ed25519", "k256", "rsa2056"])
def test_a_key_of_another_kind_signs_no_envelope(kind: str) -> None:
    key = new_key(kind).public_key()
    assert algorithm_of(key) is None
    signed = read(evidence(jws((leaf(ROOT), ROOT))))
    with pytest.raises(Refused, match="the key signs no envelopes") as caught:
        check_signature(signed, "ES256", key)
    assert caught.value.code is RefusalCode.NOTARY_ALGORITHM


def test_the_salt_of_pss_is_as_long_as_the_digest() -> None:
    signer = leaf(ROOT, key=new_key("rsa2048"))
    for salt, believed in ((32, True), (20, False), (0, False), (222, False)):
        made = evidence(jws((signer, ROOT), signature=lambda m, salt=salt: sign(signer.key, m, salt=salt)))  # type: ignore[misc]  # mypy reads no default of a lambda
        assert isinstance(assess(made, trusting(notary(ROOT)), at=AT), VerifiedSignature) is believed


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made[:-1],
        lambda made: made + b"\x00",
        lambda made: b"\x00" + made,
        lambda made: bytes(len(made)),
        lambda made: made[32:] + made[:32],
        lambda made: made[:63] + bytes([made[63] ^ 1]),
        lambda made: b"\xff" * len(made),
    ],
)
def test_a_signature_that_is_altered_is_refused(change: object) -> None:
    signer = leaf(ROOT)
    made = evidence(jws((signer, ROOT), signature=lambda message: change(sign(signer.key, message))))  # type: ignore[operator]  # a lambda of the list above
    with pytest.raises(Refused) as caught:
        check_signature(read(made), "ES256", signer.key.public_key())
    assert caught.value.code is RefusalCode.NOTARY_BAD_SIGNATURE


def test_a_signature_in_der_is_refused() -> None:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - here alone
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - here alone

    signer = leaf(ROOT)
    assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
    key = signer.key
    made = evidence(jws((signer, ROOT), signature=lambda message: key.sign(message, ec.ECDSA(hashes.SHA256()))))
    with pytest.raises(Refused, match="not by the key of its certificate"):
        check_signature(read(made), "ES256", key.public_key())


def test_a_signature_over_nothing_is_refused() -> None:
    signed = replace(read(evidence(jws((leaf(ROOT), ROOT)))), message=None)
    with pytest.raises(Refused, match="not by the key of its certificate"):
        check_signature(signed, "ES256", leaf(ROOT).key.public_key())


def test_the_signature_of_another_key_is_refused() -> None:
    made = evidence(jws((leaf(ROOT), ROOT), protected=header(leaf(ROOT))))
    with pytest.raises(Refused, match="not by the key of its certificate"):
        check_signature(read(made), "ES256", leaf(ROOT).key.public_key())
