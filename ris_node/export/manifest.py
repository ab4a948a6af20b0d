# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Write a bundle's manifest from the files of its folder, and add to it what an evaluation found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ris_node.atomic import write_atomic
from ris_node.bundle import Manifest
from ris_node.bundle.bundle import GRAPH_FILES, MANIFEST, OTHER_FILES, VISION_FILES, file_entry
from ris_node.bundle.contract import check_manifest
from ris_node.bundle.manifest import FAMILIES, FileEntry, GraphSpec
from ris_node.errors import BundleError, ExportError
from ris_node.evaluation.table import quality_of
from ris_node.runtime.ort import OrtSession


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a bundle's folder, its files unchecked."""
    return Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8-sig"))


def write_manifest(folder: Path | str, manifest: Manifest) -> Manifest:
    """Write a folder's manifest, checked, its files, hashes and graphs filled in from what lies there.

    Returns:
        The completed manifest.

    Raises:
        BundleError: a required file is missing or a graph does not keep the contract.
    """
    folder = Path(folder)
    known = sorted(p.name for p in folder.iterdir() if p.name in (*GRAPH_FILES, *OTHER_FILES))
    for name in FAMILIES[manifest.family]:
        if name not in known:
            raise BundleError(f"{folder} has no {name}, which a {manifest.family} bundle needs: put it there first")
    files = {name: file_entry(folder / name) for name in known}
    graphs = {"vision": _read_graph(folder / VISION_FILES["fp32"])}
    if "text.onnx" in files:
        graphs["text"] = _read_graph(folder / "text.onnx")
    tokenizer = files["tokenizer.json"].sha256 if "tokenizer.json" in files else ""
    text = replace(manifest.text, tokenizer_sha256=tokenizer)
    fp16 = manifest.fp16 if is_about(manifest.fp16, files) else {}
    manifest = replace(manifest, files=files, graphs=graphs, text=text, fp16=fp16)
    check_manifest(manifest, str(folder / MANIFEST))
    write_atomic(folder / MANIFEST, manifest.to_json())
    return manifest


def add_quality(out: Path, report: Path) -> Manifest:
    """Put an evaluation report (of `ris evaluate`) into the manifest of a bundle."""
    manifest = read_manifest(out)
    content = json.loads(report.read_text(encoding="utf-8-sig"))
    if out.name not in content["bundles"]:
        raise ExportError(f"{report} says nothing of {out.name!r}, only of {sorted(content['bundles'])}")
    return write_manifest(out, replace(manifest, quality=quality_of(content, out.name)))


def is_about(record: Mapping[str, Any], files: Mapping[str, FileEntry]) -> bool:
    """Tell whether a record of parity is about the half-precision and float32 graphs that a bundle has now."""
    pair = [files[name].sha256 if name in files else None for name in (VISION_FILES["fp16"], VISION_FILES["fp32"])]
    return [record.get("sha256"), record.get("reference_sha256")] == pair


def _read_graph(path: Path) -> GraphSpec:
    with OrtSession(path, num_threads=1) as session:
        return GraphSpec(session.inputs, session.outputs)
