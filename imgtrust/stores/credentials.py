"""Credentials for a registry: what they are, and in which order they are looked for.

Knows the order (explicit, REGISTRY_AUTH_FILE, ECR, docker, podman; CLI.md section 1); the files are read by
``authfiles``, helper programs run by ``helpers``, AWS is asked by ``ecr``. Secrets are never in a repr or a message.
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
