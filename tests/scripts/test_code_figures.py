# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of the code's structure, on packages made for it and on this one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from code_figures import circles, import_graph, package_graph  # noqa: E402


def made(root: Path, files: dict[str, str]) -> dict[str, set[str]]:
    """Write files of a package and return its import graph."""
    for name, text in files.items():
        path = root / "ris_node" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (path.parent / "__init__.py").touch()
    return import_graph(root)


def test_a_circle_is_found_through_any_form_of_import(tmp_path: Path) -> None:
    graph = made(
        tmp_path,
        {
            "a/one.py": "from ris_node.b import two",
            "b/two.py": "def f():\n    import ris_node.c.three",
            "c/three.py": "from ris_node.a.one import name\nimport json",
            "c/four.py": "from ris_node.c import three",
        },
    )
    assert circles(graph) == [["ris_node.a.one", "ris_node.b.two", "ris_node.c.three"]]
    assert circles(package_graph(graph)) == [["ris_node.a", "ris_node.b", "ris_node.c"]]


def test_imports_for_types_only_and_of_packages_close_no_circle(tmp_path: Path) -> None:
    lazy = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ris_node.a import one"
    graph = made(tmp_path, {"a/one.py": "from ris_node.b import two", "b/two.py": lazy})
    assert graph["ris_node.a.one"] == {"ris_node.b.two"} and circles(graph) == []


def test_the_script_prints_each_figure() -> None:
    command = [sys.executable, ROOT / "scripts/code_figures.py", "--list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for figure in ("file median", "import circles", "plain Any", "positional arguments", "README", "commit subjects"):
        assert figure in done
