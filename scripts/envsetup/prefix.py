# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the environment an ament prefix with ris_node in it, for `ros2 run`, `ros2 launch` and ament_index."""

from __future__ import annotations

import importlib.metadata
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from envsetup.place import Place
    from envsetup.talk import Talk

DATA = ("package.xml", "config", "engines")
INDEX = "share/ament_index/resource_index/packages/ris_node"


def launch_files(place: Place) -> list[Path]:
    """Return the launch files and what lies beside them."""
    return sorted(path for path in (place.root / "launch").iterdir() if path.is_file())


def register(place: Place, _talk: Talk) -> None:
    """Link the sources and the commands to where colcon would install them."""
    site = [str(folder) for folder in (place.venv / "lib").glob("python3*/site-packages")]
    installed = importlib.metadata.distributions(name="ris_node", path=site)
    commands = {entry.name for found in installed for entry in found.entry_points.select(group="console_scripts")}
    share, programs = place.venv / "share" / "ris_node", place.venv / "lib" / "ris_node"
    links = {
        place.venv / INDEX: place.root / "resource" / "ris_node",
        **{share / name: place.root / name for name in DATA},
        # one by one: `ros2 launch` does not look into a linked folder
        **{share / "launch" / file.name: file for file in launch_files(place)},
        **{programs / name: place.venv / "bin" / name for name in commands},
    }
    for folder in (share, programs):
        shutil.rmtree(folder, ignore_errors=True)
    (place.venv / INDEX).unlink(missing_ok=True)
    for link, target in links.items():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
