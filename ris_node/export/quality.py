# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation found goes into a bundle's manifest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from ris_node.bundle import Manifest, write_manifest
from ris_node.errors import ExportError
from ris_node.evaluation.summary import quality_of


def add_quality(out: Path, report: Path) -> Manifest:
    """Put an evaluation report (of `ris evaluate`) into the manifest of a bundle."""
    manifest = Manifest.from_json((out / "manifest.json").read_text(encoding="utf-8-sig"))
    content = json.loads(report.read_text(encoding="utf-8-sig"))
    if out.name not in content["bundles"]:
        raise ExportError(f"{report} says nothing of {out.name!r}, only of {sorted(content['bundles'])}")
    return write_manifest(out, replace(manifest, quality=quality_of(content, out.name)))
