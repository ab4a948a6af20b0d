# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A test that cannot run is skipped with its reason, and is a failure where RIS_REQUIRE asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TESTS = {
    "marked": "import pytest\n\n@pytest.mark.shared\ndef test_it(shared):\n    assert (shared / 'data').is_dir()\n",
    "inside": "import pytest\n\n@pytest.mark.shared\ndef test_it():\n    pytest.skip('not today')\n",
    "whole": "import pytest\n\npytest.importorskip('no_such_module_at_all')\n\ndef test_it():\n    pass\n",
}


def run(folder: Path, body: str, shared: Path, require: str) -> str:
    """Run one test file under a copy of this suite's conftest.py; pytest's last line."""
    (folder / "test_it.py").write_text(body)
    (folder / "conftest.py").write_text((HERE / "conftest.py").read_text())
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    shared\n    ros\n    torch\n")
    env = dict(os.environ, RIS_SHARED=str(shared), RIS_REQUIRE=require)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("case", TESTS)
def test_a_skip_is_a_skip_unless_it_is_required(case: str, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    nowhere = tmp_path / "nowhere"
    assert "1 skipped" in run(tmp_path / "tests", TESTS[case], nowhere, "")
    required = run(tmp_path / "tests", TESTS[case], nowhere, "shared,ros,torch")
    assert "failed" in required or "error" in required


def test_data_that_is_there_is_used(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "shared" / "data").mkdir(parents=True)
    assert "1 passed" in run(tmp_path / "tests", TESTS["marked"], tmp_path / "shared", "shared")
