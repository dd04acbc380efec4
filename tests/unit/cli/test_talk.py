"""``-v`` tells much, and no secret."""

from __future__ import annotations

import io
import logging
import threading

import pytest

from imgtrust.cli.console import Console
from imgtrust.cli.talk import masked, tell


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer s3cr3t-value-0123",
        "authorization: Basic czNjcjN0LXZhbHVlLTAxMjM= s3cr3t",
        "headers {'Authorization': 'Bearer s3cr3t-value-0123'}",
        'answer {"token": "s3cr3t-value-0123", "expires_in": 300}',
        'answer {"access_token":"s3cr3t-value-0123"}',
        "GET https://bucket.example.com/x?X-Amz-Signature=s3cr3t-value-0123&X-Amz-Credential=s3cr3t",
        "GET https://store.example.com/blob?sig=s3cr3t-value-0123&se=2026",
        "GET https://user:s3cr3t-value-0123@registry.example.com/v2/",
        "password=s3cr3t-value-0123",
        "passphrase: s3cr3t-value-0123",
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\ns3cr3t-value-0123\n-----END",
        "sent eyJhbGciOiJSUzI1NiJ9.s3cr3t-value-0123.s3cr3t",
    ],
)
def test_no_secret_is_told(line: str) -> None:
    shown = masked(line)
    assert "s3cr3t-value" not in shown
    assert "czNjcjN0" not in shown
    assert "***" in shown


def test_what_is_no_secret_stays() -> None:
    line = "GET https://registry.example.com/v2/team/app/manifests/1.4 200 in 12 ms, 2 of 3 tokens cached"
    assert masked(line) == line


def test_imgtrust_speaks_for_the_length_of_the_block_and_with_the_name_of_its_thread() -> None:
    stderr = io.StringIO()
    logger = logging.getLogger("imgtrust.stores.registry")
    with tell(Console(io.StringIO(), stderr, {})):
        logger.debug("GET %s", "/v2/")
        thread = threading.Thread(target=lambda: logger.debug("from a thread"), name="blobs-1")
        thread.start()
        thread.join()
    logger.debug("not told")
    lines = stderr.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("stores.registry] GET /v2/")
    assert "blobs-1" in lines[1]
