# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from ris_node.atomic import replacing, write_atomic


def test_text_and_bytes_come_back(tmp_path: Path) -> None:
    write_atomic(tmp_path / "new" / "a.txt", "straße")
    write_atomic(tmp_path / "b.bin", b"\x00\xff")
    assert (tmp_path / "new" / "a.txt").read_text(encoding="utf-8") == "straße"
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\xff"


def test_after_an_error_the_old_file_is_whole_and_nothing_lies_beside(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    write_atomic(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as beside:
        assert beside.suffix == ".onnx" and beside.parent == tmp_path
        beside.write_text("half")
        raise RuntimeError("stop")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.onnx"]
