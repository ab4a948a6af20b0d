# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ris_node.hashing import hash_files


def test_files_are_hashed_one_after_the_other_whatever_their_size(tmp_path: Path) -> None:
    large, small = bytes(range(256)) * 9000, b"end"  # more than two blocks
    (tmp_path / "large").write_bytes(large)
    (tmp_path / "small").write_bytes(small)
    assert hash_files(tmp_path / "large", tmp_path / "small") == hashlib.sha256(large + small).hexdigest()
    assert hash_files(tmp_path / "small") == hashlib.sha256(small).hexdigest()
    with pytest.raises(OSError, match="missing"):
        hash_files(tmp_path / "small", tmp_path / "missing")
