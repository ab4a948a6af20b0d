# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`examples/train_own` as its README says, in a folder of its own and without any data folder."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")

from ris_node.cli.__main__ import main
from ris_node.data.samples.jsonl import open_jsonl

pytestmark = pytest.mark.torch
EXAMPLE = Path(__file__).parents[2] / "examples/train_own"


def commands() -> list[list[str]]:
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    return [shlex.split(line) for line in re.findall(r"^    ris (.+)$", text, re.MULTILINE)]


def test_the_commands_of_the_readme_end_with_a_bundle_that_answers(tmp_path, monkeypatch, capsys):
    shutil.copytree(EXAMPLE, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    monkeypatch.setenv("RIS_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    train, export, predict = commands()
    assert main(train) == 0
    losses = [json.loads(line) for line in Path("runs/yard/log.jsonl").read_text().splitlines()]
    assert losses[-1]["event"] == "final" and 0 <= losses[-1]["miou_given"] <= 1
    assert main(export) == 0
    capsys.readouterr()
    assert main([*predict, "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["status"] in ("PRESENT", "ABSENT", "UNCERTAIN", "AMBIGUOUS") and 0 < answer["presence"] < 1
    assert (answer["width"], answer["height"]) == (320, 240) and Path(answer["files"]["overlay"]).is_file()
    assert json.loads(Path("bundle/manifest.json").read_text())["use"].startswith("drawn pictures")


def test_every_line_can_be_used_and_is_what_the_script_draws(tmp_path):
    samples = open_jsonl(EXAMPLE / "expressions.jsonl")
    assert not samples.problems and len(samples.by_image) == 12
    assert all(not sample.present or (sample.mask is not None and sample.mask.sum() > 50) for sample in samples)
    assert 0.2 < sum(not sample.present for sample in samples) / len(samples) < 0.4
    assert {sample.region is not None for sample in samples} == {True, False}
    spec = importlib.util.spec_from_file_location("draw", EXAMPLE / "draw.py")
    draw = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(draw)
    draw.write(tmp_path)
    assert (tmp_path / "expressions.jsonl").read_text() == (EXAMPLE / "expressions.jsonl").read_text()
    drawn = open_jsonl(tmp_path / "expressions.jsonl")
    for sample, again in zip(samples, drawn, strict=True):  # codecs differ a little from release to release
        assert abs(sample.image.astype(int) - again.image).mean() < 3
