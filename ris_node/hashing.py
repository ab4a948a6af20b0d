# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of files, block by block, so that a large file never lies in memory whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

_BLOCK = 1 << 20  # bytes


def hash_files(*paths: Path) -> str:
    """Return the SHA-256 in hex of the contents of files, one after the other.

    Raises:
        OSError: a file cannot be read; its name is in the error.
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
