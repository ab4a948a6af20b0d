# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from ris_node.errors import ConfigError
from ris_node.outputs import MARKER, check, claim, owns

NAMES = ("results", "report.html")


def test_what_was_claimed_may_be_claimed_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        claim(out, NAMES)
        (out / "report.html").write_text("ours")
    claim(out, ["more"])
    assert all(owns(out, name) for name in (*NAMES, "more"))


@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_what_others_made_is_refused_and_untouched(tmp_path: Path, kind: str) -> None:
    theirs = tmp_path / "results"
    if kind == "file":
        theirs.write_text("mine")
    elif kind == "folder":
        theirs.mkdir()
    else:
        theirs.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="was not made by this program"):
        claim(tmp_path, NAMES)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_an_input_is_never_where_something_is_written_not_even_through_a_link(tmp_path: Path) -> None:
    claim(tmp_path, NAMES)
    drive = tmp_path / "results" / "day"
    drive.mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(drive)
    for source in (tmp_path / "results", drive, link):
        with pytest.raises(ConfigError, match="lies where"):
            check(tmp_path, NAMES, [source])
    check(tmp_path, NAMES, [tmp_path / "elsewhere"])


def test_a_file_is_no_folder_and_a_damaged_marker_owns_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="give a folder"):
        check(tmp_path / "file", NAMES)
    for text in ("[]", "{", '{"made": 1}', '{"made": [1]}'):
        (tmp_path / MARKER).write_text(text)
        assert not owns(tmp_path, "results")
