"""Credentials for a registry. Pure.

Knows what a credential is and how it is shown. Where it comes from is others' business: ``keyring`` has the order
(explicit, REGISTRY_AUTH_FILE, ECR, docker, podman; CLI.md section 1), ``authfiles``, ``credentialhelpers`` and
``ecr`` the sources. Secrets are never in a repr or a message.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

__all__ = ["Credential"]


@dataclass(frozen=True, slots=True)
class Credential:
    """A user and password, an identity token (to be exchanged) or a bearer token, and where it was found."""

    source: str
    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    def basic(self) -> str:
        """The value of an Authorization header for Basic (RFC 7617, UTF-8)."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")
