# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Other Pythons than this one compile the package and start `ris`; `make pythons` runs the core's tests on them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import pythons  # noqa: E402

HERE = "{}.{}".format(*sys.version_info)


def test_the_other_pythons_compile_and_start_it(tmp_path: Path) -> None:
    others = {version: next(pythons.interpreters(version), "") for version in pythons.VERSIONS if version != HERE}
    found = {version: python for version, python in others.items() if python}
    if not found:
        pytest.skip(f"no Python is here but {HERE}: one of {', '.join(others)} on the PATH or in pyenv would do")
    for version, python in found.items():
        env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path / version), "PYTHONPATH": str(ROOT)}
        for words in (
            ["-m", "compileall", "-q", "ris_node", "ris_scene", "scripts", "launch"],
            ["-m", "ris_node.cli", "--help"],
        ):
            done = subprocess.run([python, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"Python {version}, {words}: {done.stdout}{done.stderr}"


def test_numpy_2_is_pinned_and_1_26_is_not_tied_to_the_pins() -> None:
    assert any(line.startswith("numpy==2") for line in pythons.wanted("2"))
    old = pythons.wanted("1.26")
    assert old[0] == "numpy==1.26.*"
    assert {"opencv-python-headless", "onnxruntime", "pytest"} <= set(old)
    assert all((ROOT / "tests" / name).exists() for name in pythons.CORE)
