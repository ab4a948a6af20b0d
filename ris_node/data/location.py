# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where data sets lie: RIS_DATA names one folder with a folder for each set.

The pretrained networks lie in its folder `pretrained`, or in one of that name beside it.
"""

from __future__ import annotations

import os
from pathlib import Path

from ris_node.data.registry import PRETRAINED, set_named
from ris_node.errors import DataError

VARIABLE = "RIS_DATA"


def data_root() -> Path:
    """Return the folder that RIS_DATA names.

    Raises:
        DataError: it is not set, or is no folder.
    """
    given = os.environ.get(VARIABLE, "")
    if not given:
        raise DataError(f"{VARIABLE} is not set: put the public sets into one folder ('ris data' says how) and set it")
    root = Path(given).expanduser()
    if not root.is_dir():
        raise DataError(f"{VARIABLE} is {given!r}, which is no folder: set it to the folder that holds the public sets")
    return root


def folder_of(name: str, root: Path) -> Path:
    """Return where a set lies below a data root, whether it is there or not."""
    beside = root.resolve().parent / PRETRAINED
    if name == PRETRAINED and not (root / name).is_dir() and beside.is_dir():
        return beside
    return root / name


def locate(name: str, root: Path | None = None) -> Path:
    """Return the folder of a set, or a file in it ("pretrained/deeplab_cityscapes.onnx").

    Args:
        name: a set, or a set and a path below it.
        root: the data root; None: `data_root()`.

    Raises:
        DataError: RIS_DATA is not set, the set is unknown, or is not there.
    """
    source, _, below = name.partition("/")
    one = set_named(source)
    path = folder_of(source, root or data_root()) / below
    if not path.exists():
        raise DataError(f"{name} is not at {path}: it is published at {one.download}; {one.how}")
    return path
