"""PEM as annotations and log entries carry it."""

from __future__ import annotations

import pytest

from imgtrust.errors import Refused
from imgtrust.formats.certificates import MAX_CERTIFICATE_BYTES, MAX_CERTIFICATES, from_pem, pem_block
from imgtrust.refusals import RefusalCode
from tests.simulators.evidence import b64


def pem(content: bytes = b"der", label: str = "CERTIFICATE", end: str | None = None, newline: str = "\n") -> str:
    text = b64(content)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return newline.join([f"-----BEGIN {label}-----", *lines, f"-----END {end or label}-----", ""])


def test_certificates_are_read_in_their_order() -> None:
    assert from_pem(pem(b"a"), "x") == (b"a",)
    assert from_pem(pem(b"a") + "\n" + pem(b"b" * 200, newline="\r\n") + pem(b"c").strip(), "x") == (
        b"a",
        b"b" * 200,
        b"c",
    )
    assert len(from_pem(pem() * MAX_CERTIFICATES, "x")) == MAX_CERTIFICATES
    assert from_pem(pem(bytes(MAX_CERTIFICATE_BYTES)), "x") == (bytes(MAX_CERTIFICATE_BYTES),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "der",
        pem(label="PUBLIC KEY"),
        pem(end="PUBLIC KEY"),
        pem(b""),
        pem().replace("ZGVy", "ZGV="),
        pem().replace("ZGVy", "ZGV!"),
        "text " + pem(),
        pem() + "text",
        pem() + "text" + pem(),
        pem() * (MAX_CERTIFICATES + 1),
        pem(bytes(MAX_CERTIFICATE_BYTES + 1)),
        pem(bytes(MAX_CERTIFICATE_BYTES * (MAX_CERTIFICATES + 5))),
    ],
)
def test_anything_else_than_certificates_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        from_pem(text, "x")
    assert caught.value.code is RefusalCode.CERTIFICATE_MALFORMED


def test_one_block_is_read_by_its_label() -> None:
    assert pem_block(pem(b"key", "PUBLIC KEY"), "PUBLIC KEY") == b"key"
    assert pem_block(pem(b"key", "PUBLIC KEY"), "CERTIFICATE") is None
    assert pem_block(pem() * 2, "CERTIFICATE") is None
    assert pem_block("x", "CERTIFICATE") is None
    assert pem_block(pem(bytes(MAX_CERTIFICATE_BYTES * (MAX_CERTIFICATES + 5))), "CERTIFICATE") is None
