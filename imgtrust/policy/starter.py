"""A policy to start from, with a comment at each thing that has to be decided. Pure."""

from __future__ import annotations

from imgtrust.policy.scopes import check_pattern
from imgtrust.policy.writing import quote

__all__ = ["starter"]

_TEXT = """\
# Who published an image, when, and may it go to production?  (imgtrust policy check, imgtrust policy explain IMAGE)
# What no scope names is denied. An unknown word is an error, never ignored.
version = 1

# Who may say what time it was. Without this no publish date can be proven.
{time}
# Who may sign. The key speaks only for signatures whose proven time is inside its window:
# that is how a key is rotated without signing the past again.
[signers.release]
key = {key}
# not_before = 2026-01-01T00:00:00Z
# not_after = 2027-01-01T00:00:00Z

# What is asked of which images. The most specific pattern wins.
[[scopes]]
images = [{images}]
{promote}signatures = {{ any_of = ["release"], count = 1 }}
{publish}
# [[scopes.evidence]]                  # an attestation that must be there
# type = "slsa-provenance"
# signed_by = ["release"]
"""
_TIME = "[time]\ntsa_roots = [{root}]\n"
_NO_PROMOTE = '# promote_to = ["registry.example.com/prod/**"]\n'
_NO_TIME = '# [time]\n# tsa_roots = ["tsa.pem"]\n'
_PUBLISH = '\n[scopes.publish]\nmax_age = "90d"                        # published at most so long ago\n'
_NO_PUBLISH = '\n# [scopes.publish]                     # needs [time]\n# max_age = "90d"\n'


def starter(
    images: str = "registry.example.com/team/**",
    key: str = "release.pub",
    tsa_root: str | None = None,
    promote_to: str | None = None,
) -> str:
    """A policy file with comments, which ``read_policy`` reads.

    Raises:
        UsageError: a pattern cannot name an image.
    """
    for pattern in (images, promote_to):
        if pattern is not None:
            check_pattern(pattern)
    promote = (
        '# promote_to = ["registry.example.com/prod/**"]\n'
        if promote_to is None
        else f"promote_to = [{quote(promote_to)}]\n"
    )
    return _TEXT.format(
        time=_NO_TIME if tsa_root is None else _TIME.format(root=quote(tsa_root)),
        key=quote(key),
        images=quote(images),
        promote=promote,
        publish=_NO_PUBLISH if tsa_root is None else _PUBLISH,
    )
