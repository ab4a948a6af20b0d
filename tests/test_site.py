# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The site of docs/ builds without a warning, and shows what the pages mean."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_A_LIST = re.compile(r"(?:^|\n)\s*(?:\* |- |\d+\. |\| |```)")

pytest.importorskip("mkdocs", reason="requirements/docs.txt wants Python 3.11")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a link that leads nowhere, also to an anchor, is a warning, and a warning fails."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Documentation built" in done.stderr, "a quiet build counts no warnings"
    return folder


def article(path: Path) -> str:
    """The part of a page that its Markdown became."""
    text = path.read_text(encoding="utf-8")
    return text[text.index("<article") : text.index("</article")]


def test_every_page_has_its_lists_tables_and_fences(site: Path) -> None:
    pages = [*site.glob("*.html"), *site.glob("repository/*.html")]
    assert {"index.html", "CONTRIBUTING.html", "model_card.html"} <= {page.name for page in pages}
    for page in pages:
        for paragraph in re.findall(r"<p>(.*?)</p>", article(page) if page.name != "404.html" else "", re.DOTALL):
            assert not NOT_A_LIST.search(paragraph), f"{page.name}: give it an empty line before: {paragraph[:200]}"


def test_each_package_has_its_api(site: Path) -> None:
    packages = [path.parent.name for path in ROOT.glob("ris_*/*/__init__.py")]
    assert packages
    for package in packages:
        assert list(site.glob(f"api/*/{package}/*.html")), package
    grounder = article(site / "api/ris_node/pipeline/grounder.html")
    assert "Load a bundle and warm it up" in grounder and "BundleError" in grounder


def test_files_beside_docs_are_in_the_site(site: Path) -> None:
    assert 'href="../training.html"' in article(site / "repository/CONTRIBUTING.html")
    assert 'href="repository/CONTRIBUTING.html"' in article(site / "training.html")
    assert (site / "repository/examples/predict.py").is_file()
    assert 'href="../../../training.html"' in article(site / "repository/examples/train_own/about.html")
