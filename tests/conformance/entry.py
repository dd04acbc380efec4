#!/usr/bin/env python3
"""The executable that sigstore-conformance starts: ``entry.py verify-bundle …`` and ``sign-bundle …``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.conformance.protocol import run

    status, said = run(sys.argv[1:], at=datetime.now(UTC))
    print(said, file=sys.stderr if status else sys.stdout)
    sys.exit(status)
