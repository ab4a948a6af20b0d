# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for `launch` and `launch_ros`, which is not on PyPI: they keep what they were made with."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Recorded:
    """Keeps what it was made with, under the name of the class it stands in for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs

    def perform(self, context: dict[str, str]) -> str:
        """A launch configuration's value."""
        return context[self.args[0]]


STAND_INS = {
    "launch": ["LaunchDescription"],
    "launch.actions": [
        *("DeclareLaunchArgument", "EmitEvent", "ExecuteProcess", "OpaqueFunction", "RegisterEventHandler"),
        "SetEnvironmentVariable",
    ],
    "launch.event_handlers": ["OnProcessExit"],
    "launch.events": ["Shutdown"],
    "launch.substitutions": ["LaunchConfiguration"],
    "launch_ros": [],
    "launch_ros.actions": ["LifecycleNode"],
    "launch_ros.parameter_descriptions": ["ParameterValue"],
    "ament_index_python": [],
    "ament_index_python.packages": [],
}


def run_launch_file(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return a launch file's names, run with the repository as the share folder."""
    for module_name, classes in STAND_INS.items():
        module = ModuleType(module_name)
        for cls in classes:
            setattr(module, cls, type(cls, (Recorded,), {}))
        monkeypatch.setitem(sys.modules, module_name, module)
    packages: Any = sys.modules["ament_index_python.packages"]
    packages.get_package_share_directory = lambda package: str(ROOT)
    packages.get_package_prefix = lambda package: f"/opt/{package}"
    return runpy.run_path(str(ROOT / "launch" / name))


def kinds(entities: list[Recorded]) -> dict[str, list[Recorded]]:
    """Return the entities by the class that they stand in for."""
    found: dict[str, list[Recorded]] = {}
    for entity in entities:
        found.setdefault(type(entity).__name__, []).append(entity)
    return found
