"""Small answers as JSON: one document, keys in the order given, a newline at the end."""

from __future__ import annotations

import json

__all__ = ["RESULT", "as_json"]

RESULT = "imgtrust-result/1"
"""The schema of what commands made, moved or show (CLI.md section 5)."""


def as_json(document: object) -> str:
    """A document as text for programs."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
