"""Merkle trees of transparency logs: the root that an inclusion proof leads to. Pure.

Knows RFC 6962 section 2.1 and RFC 9162 section 2.1.3.2; knows nothing of what the leaves are.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from imgtrust.errors import Refused
from imgtrust.refusals import RefusalCode

if TYPE_CHECKING:
    from imgtrust.evidence import InclusionProof

__all__ = ["leaf_hash", "node_hash", "verify_inclusion"]


def leaf_hash(body: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def verify_inclusion(body: bytes, proof: InclusionProof) -> None:
    """The proof leads from the body, at its index, to its root in a tree of its size.

    Raises:
        Refused: LOG_INCLUSION.
    """
    if proof.log_index >= proof.tree_size:
        message = f"the entry has index {proof.log_index} in a tree of {proof.tree_size}"
        raise Refused(RefusalCode.LOG_INCLUSION, message)
    found = _root(leaf_hash(body), proof)
    if found != proof.root_hash:
        message = "the inclusion proof does not lead to the root of the log's tree"
        raise Refused(RefusalCode.LOG_INCLUSION, message)


def _root(leaf: bytes, proof: InclusionProof) -> bytes | None:
    """The root that the hashes lead to; None where there are too few or too many for such a tree."""
    node, last, found = proof.log_index, proof.tree_size - 1, leaf
    for each in proof.hashes:
        if last == 0:
            return None
        if node & 1 or node == last:
            found = node_hash(each, found)
            while not node & 1:  # a node of 0 is not the last one here, so that this ends
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, each)
        node, last = node >> 1, last >> 1
    return found if last == 0 else None
