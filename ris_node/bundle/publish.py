# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Bring a finished bundle to where it is loaded from: whole, and over nothing but another bundle's own files."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from ris_node import outputs
from ris_node.atomic import replacing
from ris_node.bundle.bundle import GRAPH_FILES, MANIFEST, OTHER_FILES, open_bundle
from ris_node.bundle.manifest import Manifest
from ris_node.errors import BundleError

FILES = (MANIFEST, *GRAPH_FILES, *OTHER_FILES)  # all that a bundle may have


def check_place(out: Path) -> None:
    """Refuse a folder where a bundle's file would take the place of what is no bundle's; touches nothing.

    Raises:
        ConfigError: naming what is in the way.
    """
    outputs.check(out, FILES, known=_files_of(out))


def publish(source: Path, out: Path) -> None:
    """Copy the bundle `source` to `out`, where an older one may be; what else lies there stays.

    The files are written beside first and then renamed, the manifest last. A crash in between leaves a bundle whose
    hashes do not fit, which is refused: publish it again.

    Raises:
        BundleError: `source` is damaged.
        ConfigError: `out` has a file in the way that is no bundle's.
    """
    names = (MANIFEST, *open_bundle(source).manifest.files)
    old = _files_of(out)
    check_place(out)
    outputs.claim(out, names, [source], old)
    with ExitStack() as stack:  # closed from the last to the first: the manifest takes its place at the end
        for name in names:
            shutil.copyfile(source / name, stack.enter_context(replacing(out / name)))
    for name in old - set(names):
        (out / name).unlink(missing_ok=True)


def _files_of(folder: Path) -> set[str]:
    """What a folder's manifest lists, and the manifest; nothing where it has none of ours."""
    try:
        manifest = Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BundleError):
        return set()
    return {MANIFEST, *manifest.files} & set(FILES)
