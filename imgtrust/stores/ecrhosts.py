"""The host names of Amazon ECR, read for what they say: account, region, kind of end-point. Pure.

Knows ``dkr.ecr``, FIPS, China and dual-stack names and ECR Public; knows nothing of AWS's API.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["PUBLIC_HOST", "PUT_IMAGE_RATE", "EcrHost", "parse_ecr_host"]

PUBLIC_HOST: Final = "public.ecr.aws"
PUT_IMAGE_RATE: Final = 10.0
"""How many manifests may be put in a second (default quota of PutImage; ecr.md section 5)."""
_PRIVATE: Final = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?P<fips>-fips)?\.(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})"
    r"\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|(?P<dual>on\.aws|on\.amazonwebservices\.com\.cn))"
)


@dataclass(frozen=True, slots=True)
class EcrHost:
    """A registry of ECR: the 12 digits of the account (empty for ECR Public) and the region of its API."""

    account: str
    region: str
    fips: bool = False
    dual_stack: bool = False

    @property
    def is_public(self) -> bool:
        """Whether this is ECR Public, which has an API of its own."""
        return not self.account


def parse_ecr_host(host: str) -> EcrHost | None:
    """What an ECR host names; None for every other registry."""
    if host == PUBLIC_HOST:
        return EcrHost("", "us-east-1")
    found = _PRIVATE.fullmatch(host)
    if found is None:
        return None
    return EcrHost(found["account"], found["region"], found["fips"] is not None, found["dual"] is not None)
