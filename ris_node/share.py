# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the files that come with the package lie: bundles, weights, configuration."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def share_folders(name: str) -> list[Path]:
    """Return the folders named `name` that came with the package, best first.

    The source tree, then `share/ris_node` beside the installed package (`pip install --target`), of the Python prefix,
    of the user's own prefix (`pip install --user`), and of each ament prefix.
    """
    ament = [Path(prefix) for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    user = [Path(site.USER_BASE)] if site.ENABLE_USER_SITE and site.USER_BASE else []
    prefixes = [_PACKAGE.parent, Path(sys.prefix), *user, *ament]
    folders = [_PACKAGE.parent / name, *(prefix / "share/ris_node" / name for prefix in prefixes)]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]
