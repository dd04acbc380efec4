"""Transparency logs: whether one holds an entry, and whether that entry is about this signature. Pure.

Knows the checks in their order and nothing of certificates' chains or of who is trusted. A new kind of entry is one
module and one row of ``kinds.KINDS``.
"""

from __future__ import annotations
