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
    "marked": "import pytest\n\n@pytest.mark.there_is_none\ndef test_it():\n    assert False\n",
    "inside": "import pytest\n\n@pytest.mark.torch\ndef test_it():\n    pytest.skip('not today')\n",
    "whole": "import pytest\n\npytest.importorskip('no_such_module_at_all')\n\ndef test_it():\n    pass\n",
}


def run(folder: Path, body: str, require: str) -> str:
    """Run one test file under a copy of this suite's conftest.py that knows one more mark; pytest's last line."""
    own = (HERE / "conftest.py").read_text()
    more = 'NEEDS = {"there_is_none": ("no_such_module_at_all",), '
    (folder / "test_it.py").write_text(body)
    own = own.replace("HELP = {", "HELP = {'there_is_none': '', ")
    (folder / "conftest.py").write_text(own.replace("NEEDS = {", more))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    there_is_none\n    ros\n    torch\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    env = dict(os.environ, RIS_REQUIRE=require)
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("case", TESTS)
def test_a_skip_is_a_skip_unless_it_is_required(case: str, tmp_path: Path) -> None:
    assert "1 skipped" in run(tmp_path, TESTS[case], "")
    required = run(tmp_path, TESTS[case], "there_is_none,ros,torch")
    assert "failed" in required or "error" in required


def test_what_is_there_is_used(tmp_path: Path) -> None:
    body = "import pytest\n\n@pytest.mark.torch\ndef test_it():\n    assert True\n"
    assert "1 passed" in run(tmp_path, body, "torch")
