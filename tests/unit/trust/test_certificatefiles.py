"""Roots of Notary signers from files: each certificate once, and of the right fingerprint where one is named."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography import x509

from imgtrust.errors import InputFileError
from imgtrust.trust.certificatefiles import AWS_SIGNER_ROOT, read_roots
from tests.simulators.pki import authority

ONE = authority("one")
OTHER = authority("other")


def test_the_certificates_of_a_file_are_read_each_once() -> None:
    assert read_roots(ONE.pem + OTHER.pem + ONE.pem, "roots.pem") == (ONE.der, OTHER.der)
    assert read_roots(ONE.der, "root.der") == (ONE.der,)


def test_a_certificate_in_der_is_that_one_whatever_text_is_in_it() -> None:
    comment = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\n" + OTHER.pem)
    odd = authority("odd", extensions=((comment, False),))
    assert read_roots(odd.der, "root.der") == (odd.der,)
    assert read_roots(odd.pem, "root.pem") == (odd.der,)


def test_a_fingerprint_is_asked_of_every_one_of_them() -> None:
    named = sha256(ONE.der).hexdigest()
    assert read_roots(ONE.pem, "root.pem", named) == (ONE.der,)
    with pytest.raises(InputFileError, match=f"root.pem: .*{sha256(OTHER.der).hexdigest()}, expected sha256:{named}"):
        read_roots(ONE.pem + OTHER.pem, "root.pem", named)
    with pytest.raises(InputFileError, match=AWS_SIGNER_ROOT):
        read_roots(ONE.pem, "root.pem", AWS_SIGNER_ROOT)


@pytest.mark.parametrize(
    "data", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\n", b"x" * (4 * 1024 * 1024 + 1)]
)
def test_what_is_no_file_of_certificates_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(InputFileError, match=r"roots\.pem"):
        read_roots(data, "roots.pem")
