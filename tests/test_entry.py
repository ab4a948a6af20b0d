# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every process starts in one way: no terminal's encoding stops it, and what goes wrong is one line."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(path for path in (ROOT / "ris_node").rglob("*.py") if "\nif __name__ ==" in path.read_text("utf-8"))
SCRIPT = """
import sys
from ris_node.entry import start
from ris_node.errors import {error}

def main():
    print("café \\udce9")
    raise {error}("das große Auto")

start(main)
"""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_that_can_be_run_goes_through_start(path: Path) -> None:
    last = ast.parse(path.read_text(encoding="utf-8")).body[-1]
    assert isinstance(last, ast.If) and ast.unparse(last.test) == "__name__ == '__main__'"
    assert re.fullmatch(r"start\(.+\)", ast.unparse(last.body[0]))
    assert "from ris_node.entry import" in path.read_text(encoding="utf-8")


def test_every_command_that_is_installed_is_guarded() -> None:
    places = re.findall(r'"\w+ = (ris_node[\w.]+):main"', (ROOT / "setup.py").read_text(encoding="utf-8"))
    assert places
    for place in places:
        tree = ast.parse((ROOT / place.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8"))
        (main,) = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "main"]
        assert ast.unparse(main.body[-1]).startswith("return guarded(")


@pytest.mark.parametrize(("error", "code"), [("DataError", 1), ("ConfigError", 2)])
def test_a_terminal_without_utf_8_gets_escapes_and_one_line(error: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(SCRIPT.format(error=error), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}", "PYTHONIOENCODING": "ascii:strict"}
    done = subprocess.run([sys.executable, "-m", "work"], capture_output=True, env=environment, timeout=60, check=False)
    assert done.stdout == b"caf\\xe9 \\udce9\n"
    assert done.stderr == b"work: das gro\\xdfe Auto\n" and done.returncode == code


@pytest.mark.parametrize(
    "module",
    ["data.unlabelled", "evaluation", "evaluation.language", "export", "export.tensorrt.builder", "replay.rates",
     "training"],
)  # fmt: skip
def test_the_help_of_a_module_is_shown_in_ascii(module: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii:strict"}
    command = [sys.executable, "-m", f"ris_node.{module}", "--help"]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert b"usage:" in done.stdout and not done.stderr
