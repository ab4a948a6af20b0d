# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Bring a finished bundle to where it is loaded from: whole, and over nothing but another bundle's own files."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from ris_node import outputs
from ris_node.atomic import replacing
from ris_node.bundle.bundle import ALL_FILES, MANIFEST, claim_bundle, files_of, open_bundle

VERB = "ris make"  # in the markers of what is written


def check_place(out: Path) -> None:
    """Refuse a folder where a bundle's file would take the place of what is no bundle's; touches nothing.

    Raises:
        ConfigError: naming what is in the way.
    """
    outputs.check(out, ALL_FILES, by=VERB, known=files_of(out))


def publish(source: Path, out: Path) -> None:
    """Copy the bundle `source` to `out`, where an older one may be; what else lies there stays.

    The files are written beside first and then renamed, the manifest last. A crash in between leaves a bundle whose
    hashes do not fit, which is refused: publish it again.

    Raises:
        BundleError: `source` is damaged.
        ConfigError: `out` has a file in the way that is no bundle's.
    """
    names = (MANIFEST, *open_bundle(source).manifest.files)
    old = files_of(out)
    check_place(out)
    claim_bundle(out, names, [source], by=VERB)
    with ExitStack() as stack:  # closed from the last to the first: the manifest takes its place at the end
        for name in names:
            shutil.copyfile(source / name, stack.enter_context(replacing(out / name)))
    for name in old - set(names):
        (out / name).unlink(missing_ok=True)
