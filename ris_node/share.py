# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the files that come with the package lie: bundles, weights, configuration."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def share_folders(name: str) -> list[Path]:
    """Return the folders named `name` that came with the package, best first.

    The source tree, then `share/ris_node` beside the installed package (`pip install --target`), of the prefix that
    the package lies below, of the Python prefix, and of each ament prefix.
    """
    ament = [Path(prefix) for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    # PREFIX/lib/python3.11/site-packages: a Debian's own pip, and `pip install --user`, have others than sys.prefix.
    installed = _PACKAGE.parent.name in ("site-packages", "dist-packages")
    prefixes = [_PACKAGE.parent, *_PACKAGE.parents[3 : 4 if installed else 3], Path(sys.prefix), *ament]
    folders = [_PACKAGE.parent / name, *(prefix / "share/ris_node" / name for prefix in prefixes)]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def shipped_profile() -> str:
    """Return the path of `launch/fastdds.xml`, which lets big images through Fast DDS."""
    files = (folder / "fastdds.xml" for folder in share_folders("launch"))
    return str(next((file for file in files if file.is_file()), "<ris_node>/launch/fastdds.xml"))
