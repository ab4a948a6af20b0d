# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every verb that writes: what it did not make is refused with exit code 2 before anything is touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ris_node.bundle import packaged_bundles
from ris_node.cli.__main__ import main
from ris_node.media.images import write_png

THEIRS = b"not of this program"
CONFIG = str(Path(__file__).resolve().parents[2] / "recipes/default/first.yaml")
VERBS = {  # what is run in a folder with a.png and in.jsonl -> the file that is in its way
    "predict --image a.png --command car --out out": "out/a.car.json",
    "predict --image a.png --command car --out . ": "a.car.overlay.png",
    "predict --manifest in.jsonl --out answers.jsonl": "answers.jsonl",
    "evaluate --manifest in.jsonl --bundles nowhere --out out": "out/report.json",
    "evaluate --manifest in.jsonl --bundles nowhere --out out --json": "out/answers",
    "evaluate --manifest in.jsonl --write-manifest truth.jsonl": "truth.jsonl",
    "data check jsonl in.jsonl": "in.png",
    "data convert jsonl in.jsonl --out out.jsonl": "out.jsonl",
    "compare a b --out diff.html": "diff.html",
    "bench --no-node --no-networks --out out": "out/bench.json",
    "bench --soak 1 --out out": "out/soak.json",
    "cast bundle --to fp16": "bundle/vision.fp16.onnx",
    "cast bundle/vision.fp32.onnx --to fp16 --out half.onnx": "half.onnx",
    "quantize bundle --for tensorrt": "bundle/vision.int8-trt.onnx",
    f"train {CONFIG} --out run": "run/best.pt",
    "export best.pt --out made": "made/tokenizer.json",
    "export best.pt --weights mine.safetensors": "mine.safetensors",
}
NEEDS = {"train": "torch", "export": "torch", "cast": "onnx", "quantize": "onnx", "evaluate": "plotly"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in."""
    write_png(tmp_path / "a.png", np.full((48, 64, 3), 90, np.uint8))
    line = {"id": 1, "image": "a.png", "text": "the car", "expression": "the car", "mask": None}
    (tmp_path / "in.jsonl").write_text(json.dumps(line) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", VERBS)
def test_what_somebody_else_made_is_in_the_way_of_every_verb(
    words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb = words.split(maxsplit=1)[0]
    if verb in NEEDS:
        pytest.importorskip(NEEDS[verb])
    if "bundle" in words:
        shutil.copytree(packaged_bundles()["keyword-baseline"], here / "bundle")
    theirs = here / VERBS[words]
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_bytes(THEIRS)
    before = sorted(here.rglob("*"))
    assert main(words.split()) == 2
    assert f"{theirs.name} was not made by this program" in capsys.readouterr().err
    assert theirs.read_bytes() == THEIRS
    assert sorted(here.rglob("*")) == before


def test_a_verbs_own_output_is_replaced_and_another_verbs_is_not(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = ["--bundle", str(packaged_bundles()["keyword-baseline"])]
    predict = ["predict", "--image", "a.png", "--command", "car", "--out", ".", *bundle]
    assert main(predict) == 0 and main(predict) == 0
    capsys.readouterr()
    assert main([*predict[:2], "a.png", "a.car.mask.png", *predict[3:]]) == 2
    assert "the input" in capsys.readouterr().err
    assert main(["data", "check", "jsonl", "in.jsonl", "--sheet", "a.car.mask.png"]) == 2
    assert "was made by 'ris predict', not by 'ris data check'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [w for w in VERBS if "nowhere" in w or w.startswith(("predict --man", "export", "compare"))]
)
def test_a_verb_that_fails_before_it_writes_claims_nothing(words: str, here: Path) -> None:
    verb = words.split(maxsplit=1)[0]
    if verb in NEEDS:
        pytest.importorskip(NEEDS[verb])
    broken = {"predict": ["--bundle", "nowhere"], "evaluate": ["--manifest", "gone.jsonl"]}.get(verb, [])
    assert main([*words.split(), *broken]) in (1, 2)
    theirs = here / VERBS[words]
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_bytes(THEIRS)
    assert main(words.split()) == 2
    assert theirs.read_bytes() == THEIRS
