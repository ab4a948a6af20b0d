# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The scripts of examples/ run as they are, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from tiny_bundle import make_tiny_bundle

from ris_scene import CameraSpec, SceneSpec, render_scene
from ris_scene.bag import write_scene_bag

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
IN_NOTEBOOK = """
import json, sys, types
shown = []
sys.modules["IPython.display"] = types.SimpleNamespace(Image=lambda data: shown.append(data) or data)
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"))
assert len(shown) == 3 and all(data.startswith(b"\\x89PNG") for data in shown)
"""


def run(*words: object, cwd: Path) -> str:
    """Run Python with these arguments; return what it printed."""
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_predict(tmp_path: Path) -> None:
    street = render_scene(SceneSpec("train", seed=7, camera=CameraSpec(320, 240)), 1.5)
    cv2.imwrite(str(tmp_path / "a.png"), street.image[:, :, ::-1])
    printed = run(EXAMPLES / "predict.py", "a.png", "drive to the road", "--out", "o.png", cwd=tmp_path)
    assert printed.startswith(("PRESENT", "ABSENT", "UNCERTAIN", "AMBIGUOUS")) and "of 76800 pixels" in printed
    assert (tmp_path / "o.png").is_file()


def test_replay_and_compare(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    write_scene_bag(tmp_path / "drive", frames=6, said=())
    bundle = make_tiny_bundle(tmp_path / "bundle")
    script = EXAMPLES / "replay_and_compare.py"
    printed = run(script, "drive", "the red thing", "--bundle", bundle, "--out", "out", cwd=tmp_path)
    assert "plain: 6 frames, complete: True" in printed and "smooth: 6 frames" in printed
    assert "masks agree with IoU" in printed and printed.count("differs most at") >= 1


def test_own_backend(tmp_path: Path) -> None:
    info, status = run(EXAMPLES / "own_backend.py", cwd=tmp_path).splitlines()
    assert "backend='mine'" in info and status == "ABSENT"


def test_own_target_policy(tmp_path: Path) -> None:
    inscribed, rightmost = run(EXAMPLES / "own_target_policy.py", cwd=tmp_path).splitlines()
    assert inscribed.startswith("inscribed: PRESENT, OK") and rightmost.startswith("rightmost: PRESENT, OK")
    left = [float(line.split()[-3]) for line in (inscribed, rightmost)]
    assert left[1] < left[0]


def test_notebook(tmp_path: Path) -> None:
    notebook = EXAMPLES / "notebook.ipynb"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells), "strip the outputs"
    printed = run("-c", IN_NOTEBOOK, notebook, cwd=tmp_path)
    assert "the elephant" in printed and "base_link" not in printed


def test_examples_are_short() -> None:
    scripts = sorted(EXAMPLES.glob("*.py"))
    assert len(scripts) == 5
    for path in scripts:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 64, path.name  # two of them licence
