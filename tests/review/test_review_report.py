# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import drives
import pytest
from drives import Drive
from replay_fixtures import model, tiny  # noqa: F401

from ris_node.pipeline.grounder import Grounder
from ris_node.replay.options import Commands, ReplayOptions
from ris_node.replay.replay import replay
from ris_node.replay.rows import content_hash
from ris_node.review.compare import compare_runs
from ris_node.review.compare_report import format_comparison, write_comparison
from ris_node.review.merge import merge_runs
from ris_node.review.review import replay_and_review

CHROMIUM = next((name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), "")
OPTIONS = ReplayOptions(commands=Commands("stop next to the red thing"), bag=False, video=False)


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a drive in which the square goes away for a while."""
    return drives.write(tmp_path_factory.mktemp("report") / "drive", Drive(absent=frozenset({5, 6})))


@pytest.fixture(scope="module")
def run(bag: Path, model: Grounder, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its replay with a report."""
    out = tmp_path_factory.mktemp("report") / "run"
    replay_and_review(bag, out, replace(OPTIONS, bundle=tiny), grounder=model)
    return out


def self_contained(page: str) -> bool:
    """Whether a page fetches nothing: no element outside of scripts' text refers elsewhere."""
    markup = re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.DOTALL)
    sources = re.findall(r"(?:src|href)=[\"']?([^\"'> ]+)", markup)
    return all(source.startswith(("data:", "#")) for source in sources) and "<script src" not in page


def test_the_report_is_one_file_with_all_sections(run: Path) -> None:
    page = (run / "report.html").read_text(encoding="utf-8")
    assert self_contained(page)
    for words in ("Summary", "Timelines", "Pictures of drive", "Worst frames of drive", "How it was made"):
        assert words in page
    assert content_hash(run) in page
    assert page.count("data:image/jpeg;base64,") >= 6
    assert "stop next to the red thing" in page
    assert "/camera/image" in page
    assert str(run) not in page  # no paths


def test_a_report_over_several_drives_has_pictures_of_each(run: Path, bag: Path, tmp_path: Path) -> None:
    merge_runs([run, run], tmp_path / "all", bags=[bag, bag])
    page = (tmp_path / "all" / "report.html").read_text(encoding="utf-8")
    assert "Drives" in page
    assert "data:image/jpeg;base64," in page


def test_a_comparison_as_text_and_page(run: Path, bag: Path, model: Grounder, tmp_path: Path) -> None:
    config = OPTIONS.config.with_values({"mask_threshold": 0.9, "presence_threshold": 0.999})
    strict = Grounder(model.bundle, model._segmenter, config.output, config.region)
    replay(bag, tmp_path / "strict", replace(OPTIONS, config=config, report=False), grounder=strict)
    found = compare_runs(run, tmp_path / "strict")
    text = format_comparison(found, ("a", "b"))
    assert "12 frames in both" in text
    assert "found" in text
    write_comparison(tmp_path / "diff.html", found, (run, tmp_path / "strict"), [bag], ["found: 1 -> 0"])
    page = (tmp_path / "diff.html").read_text(encoding="utf-8")
    assert self_contained(page)
    assert "FAILED: found: 1 -&gt; 0" in page
    assert "Frame by frame" in page


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium to open the report with: apt-get install chromium")
def test_a_browser_draws_the_charts(run: Path) -> None:
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", "--dump-dom"]
    done = subprocess.run([*command, (run / "report.html").as_uri()], capture_output=True, text=True, timeout=400,
                          check=True)  # fmt: skip
    assert done.stdout.count('class="main-svg"') >= 4  # Plotly has drawn
    assert "presence and verdict" in done.stdout
