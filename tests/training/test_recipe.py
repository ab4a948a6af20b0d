# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recipes without training: what is read, kept, made anew and refused."""

from __future__ import annotations

import fcntl
import json
from dataclasses import replace
from pathlib import Path

import pytest

from ris_node.cli.__main__ import main
from ris_node.errors import ConfigError, DataError
from ris_node.training.recipe.recipe import load_recipe, look_at_data

RECIPE = """
values: {node: "--flat"}
smoke: {node: ""}
steps:
  first: [config]
  bundle:
    - -cast $here/none.onnx --to fp16 --out $out/half.onnx
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A recipe of two steps, in the current folder; the second line says No, which ends nothing."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "mine/none.onnx").write_bytes(b"no graph")
    return tmp_path / "mine"


def test_steps_are_made_once_and_anew_when_asked_for(recipe, capfd):
    def ran(*more: str) -> tuple[int, list[str]]:
        code = main(["make", "mine", "--smoke", *more])
        return code, [line.split(":")[0] for line in capfd.readouterr().err.splitlines() if ": ris " in line]

    assert ran() == (0, ["[1/2] first", "[2/2] bundle"])
    assert ran() == (0, [])
    assert ran("--anew", "bundle") == (0, ["[2/2] bundle"])
    record = json.loads(Path("runs/mine-smoke/steps/bundle.json").read_text())
    assert record["done"] and [line["code"] for line in record["ran"]] == [1]
    (recipe / "none.onnx").write_bytes(b"another")
    assert ran()[0] == 2
    assert ran("--anew", "bundle") == (0, ["[2/2] bundle"])
    (recipe / "recipe.yaml").write_text(RECIPE.replace("-cast", "cast"), encoding="utf-8")
    assert (
        ran("--anew", "bundle")[0] == 1
        and not json.loads(Path("runs/mine-smoke/steps/bundle.json").read_text())["done"]
    )
    assert ran("--anew", "third")[0] == 2


def test_a_folder_is_made_by_one_process_at_a_time(recipe, capfd):
    assert main(["make", "mine", "--smoke"]) == 0
    with Path("runs/mine-smoke/steps/lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["make", "mine", "--smoke", "--anew", "first"]) == 2
    assert "another process" in capfd.readouterr().err and Path("runs/mine-smoke/steps/first.json").is_file()
    assert main(["make", "mine", "--smoke"]) == 0


def test_folders_of_others_are_refused_before_anything_runs(recipe, capfd):
    (recipe / "first").mkdir()
    assert main(["make", "mine", "--work", "mine", "--smoke"]) == 2
    assert "was not made by this program" in capfd.readouterr().err
    (recipe / "text.onnx").write_bytes(b"mine")
    assert main(["make", "mine", "--out", "mine"]) == 2 and "text.onnx" in capfd.readouterr().err
    assert not (recipe.parent / "runs").exists()


def test_data_has_to_be_there_before_anything_runs(recipe, monkeypatch, capfd):
    (recipe / "recipe.yaml").write_text("data: [camvid]" + RECIPE, encoding="utf-8")
    monkeypatch.setenv("RIS_DATA", str(recipe))
    assert main(["make", "mine", "--smoke"]) == 1 and "0 of 367" in capfd.readouterr().err
    (recipe / "camvid").mkdir()
    assert main(["make", "mine"]) == 1 and "camvid is not whole" in capfd.readouterr().err
    masks = replace(load_recipe(recipe), data=("index-masks",))  # any set that can be read, not the public ones only
    with pytest.raises(DataError, match="'ris data list index-masks' says how"):
        look_at_data(masks, recipe)
    (recipe / "index-masks").mkdir()
    before = look_at_data(masks, recipe)
    (recipe / "index-masks/labels.txt").write_text("road")
    assert look_at_data(masks, recipe) != before
    monkeypatch.delenv("RIS_DATA")
    assert main(["make", "mine"]) == 1 and "RIS_DATA is not set" in capfd.readouterr().err


def test_wrong_recipes_are_refused(recipe):
    lines = [line.words for step in load_recipe(recipe, values={"node": "a 'b c'"}).steps for line in step.lines]
    assert lines[0] == ("config",) and lines[1][0] == "cast"
    (recipe / "recipe.yaml").write_text("steps: {bundle: [config $nowhere]}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"'nowhere' is unknown; known: \$here"):
        load_recipe(recipe).steps[0].lines[0].filled({"here": "."})
    for text in ("[]", "steps: {a: [config]}", "colour: 1\nsteps: {bundle: [config]}"):
        (recipe / "recipe.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match="give the keys"):
            load_recipe(recipe)
    (recipe / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    with pytest.raises(ConfigError, match="no values"):
        load_recipe(recipe, values={"steps": "1"})
    with pytest.raises(ConfigError, match="give a folder"):
        load_recipe(recipe / "none")
    assert main(["make", "mine", "--value", "node"]) == 2
