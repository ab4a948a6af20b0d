# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import shutil
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest

from ris_node.errors import ConfigError
from ris_node.outputs import MARKER, check, claim, claim_file, owns, remove, sign

NAMES, BY = ("results", "report.html"), "ris replay"


def test_what_was_claimed_may_be_claimed_again_by_the_same_verb_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        claim(out, NAMES, by=BY)
        sign(out / "results", by=BY)
        (out / "report.html").write_text("ours")
    claim(out, ["more"], by=BY)
    assert all(owns(out, name, by=BY) for name in (*NAMES, "more"))
    claim(sign(out / "results", by=BY), ["inner"], by="ris train")
    assert owns(out, "results", by=BY) and owns(out / "results", "inner", by="ris train")
    with pytest.raises(ConfigError, match="was made by 'ris replay', not by 'ris evaluate'"):
        claim(out, ["report.html"], by="ris evaluate")
    for name in NAMES:
        remove(out, name, by="ris demo")
        assert (out / name).exists()
        remove(out, name, by=BY)
        assert not (out / name).exists()


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
        claim(tmp_path, NAMES, by=BY)
    remove(tmp_path, "results", by=BY)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
    claim(tmp_path, ["results"], by=BY, known=["results"])


@pytest.mark.parametrize("link", [False, True])
def test_a_folder_that_took_the_place_of_ours_is_not_ours(tmp_path: Path, link: bool) -> None:
    out = tmp_path / "out"
    claim(out, NAMES, by=BY)
    sign(out / "results", by=BY)
    elsewhere = tmp_path / "elsewhere"
    if link:
        (out / "results").rename(elsewhere)
        (out / "results").symlink_to(elsewhere)
    else:
        shutil.rmtree(out / "results")
        (out / "results").mkdir()
    (out / "results" / "recorded.mcap").write_text("mine")
    remove(out, "results", by=BY)
    with pytest.raises(ConfigError, match="was not made"):
        check(out, NAMES, by=BY)
    assert (out / "results" / "recorded.mcap").read_text() == "mine"


def test_an_input_is_never_where_something_is_written_not_even_through_a_link(tmp_path: Path) -> None:
    claim(tmp_path, NAMES, by=BY)
    drive = sign(tmp_path / "results", by=BY) / "day"
    drive.mkdir()
    link = tmp_path / "link"
    link.symlink_to(drive)
    for source in (tmp_path / "results", drive, link):
        with pytest.raises(ConfigError, match="lies where"):
            check(tmp_path, NAMES, [source], by=BY)
    check(tmp_path, NAMES, [tmp_path / "elsewhere"], by=BY)


def test_a_file_is_no_folder_and_a_damaged_marker_owns_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="give a folder"):
        check(tmp_path / "file", NAMES, by=BY)
    for text in ("[]", "{", '{"made": 1}', '{"made": ["results"]}', '{"made": {"results": 1}}'):
        (tmp_path / MARKER).write_text(text)
        assert not owns(tmp_path, "results", by=BY)


def test_a_named_file_is_claimed_and_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "made" / "answers.jsonl"
    claim_file(mine, by=BY)
    mine.write_text("ours")
    claim_file(mine, by=BY)
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text("theirs")
    with pytest.raises(ConfigError, match="was not made"):
        claim_file(theirs, by=BY)
    with pytest.raises(ConfigError, match="give a file"):
        claim_file(tmp_path, by=BY)
    os.mkfifo(tmp_path / "pipe")
    claim_file(tmp_path / "pipe", by=BY)
    claim_file(Path(os.devnull), by=BY)
    claim(tmp_path / "full", ["log"], by=BY)
    (tmp_path / "full" / "log").symlink_to(os.devnull)
    claim(tmp_path / "full", ["log"], by=BY)
    assert not (tmp_path / MARKER).exists() and theirs.read_text() == "theirs"


def test_claims_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    names = [f"{number}.json" for number in range(40)]
    with ThreadPool(8) as pool:
        pool.map(lambda name: claim(tmp_path, [name], by=BY), names)
    assert json.loads((tmp_path / MARKER).read_text())["made"].keys() == set(names)


def test_the_measurements_in_the_checkout_may_be_made_anew() -> None:
    measured = Path(__file__).resolve().parents[1] / "docs/measured"
    check(measured, ["bench.json", "bench.md"], by="ris bench")
    check(measured, ["replay.json"], by="ris_node.replay.rates")
