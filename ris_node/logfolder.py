# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where ROS 2 keeps its log files, and what serves where it cannot: without such a folder no ROS process starts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def log_folder(environ: Mapping[str, str]) -> Path | None:
    """Return the folder that rcl writes logs into; None where it finds none (`~` without HOME).

    The order is rcl_logging's: ROS_LOG_DIR, ROS_HOME/log, ~/.ros/log; an empty variable counts as unset.
    """
    given, below = environ.get("ROS_LOG_DIR"), ""
    if not given:
        given, below = environ.get("ROS_HOME") or "~/.ros", "log"
    if given.startswith("~"):
        home = environ.get("HOME")
        if not home:
            return None
        given = home + given[1:]
    return Path(given) / below


def log_trouble(folder: Path | None) -> str:
    """Make a folder and return why no log file can be written into it; empty where one can."""
    if folder is None:
        return "HOME is not set"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\n")
    except (OSError, ValueError) as error:
        return f"'{folder}' cannot be written: {getattr(error, 'strerror', None) or error}"
    return ""


def spare_folder() -> Path | None:
    """Return a folder of this user's own for logs, below the system's temporary one; None where nothing is writable."""
    try:
        folder = Path(tempfile.gettempdir()) / f"ris_node_log_{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():  # somebody else's
            folder = Path(tempfile.mkdtemp(prefix="ris_node_log_"))
    except OSError:
        return None
    return None if log_trouble(folder) else folder
