# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Another package registers a backend and policies, and is found without this one knowing of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ris_node import plugins
from ris_node.config import RegionConfig
from ris_node.errors import ConfigError

PLUGIN = """
from ris_node.runtime.select import Backend, register_backend
from ris_node.targets.policies import register_goal_policy, register_yaw_policy

register_goal_policy("kerb", lambda piece: piece.vehicle)
register_yaw_policy("north", lambda heading: 0.0)
register_backend("mine", Backend(probe=lambda: "it is switched off", open=None))
"""


def install(site: Path, code: str) -> None:
    """Write a package of one module, as pip would lay it down."""
    (site / "ris_mine-1.dist-info").mkdir(parents=True)
    (site / "ris_mine-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: ris-mine\nVersion: 1\n")
    (site / "ris_mine-1.dist-info" / "entry_points.txt").write_text(f"[{plugins.GROUP}]\nmine = ris_mine\n")
    (site / "ris_mine.py").write_text(code)


def run_with(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own: what is registered stays registered."""
    code = f"import sys; sys.path.insert(0, {str(site)!r})\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_an_installed_package_is_found_when_its_names_are_used(tmp_path: Path) -> None:
    install(tmp_path, PLUGIN)
    used = """
from ris_node.config import NodeConfig
assert "ris_mine" not in sys.modules
config = NodeConfig.from_values({"goal_point": "kerb", "goal_yaw": "north", "backend": "mine"})
print(config.region.goal_point, config.region.goal_yaw, config.model.backend)
from ris_node.pipeline.grounder import Grounder
Grounder.open(model=config.model)
"""
    done = run_with(tmp_path, used)
    assert done.stdout.split() == ["kerb", "north", "mine"], done.stderr
    assert "mine: it is switched off" in done.stderr.splitlines()[-1]


def test_a_package_that_fails_costs_itself(tmp_path: Path) -> None:
    install(tmp_path, "import nothing_of_this_name")
    done = run_with(tmp_path, "from ris_node.config import RegionConfig; RegionConfig(goal_point='kerb')")
    assert "plugin mine (ris_mine) is left out: ModuleNotFoundError" in done.stderr
    assert "goal_point is 'kerb': choose one of inscribed, centroid, nearest" in done.stderr


def test_a_name_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_added", {})
    registry = {"inscribed": 1}
    with pytest.raises(ConfigError, match="goal_point 'inscribed' is registered already"):
        plugins.register(registry, "goal_point", "inscribed", 2)
    plugins.register(registry, "goal_point", "kerb", 2)
    assert registry == {"inscribed": 1, "kerb": 2} and RegionConfig(goal_point="kerb").goal_point == "kerb"
    with pytest.raises(ConfigError, match=r"choose one of inscribed, centroid, nearest, kerb"):
        RegionConfig(goal_point="kreb")
