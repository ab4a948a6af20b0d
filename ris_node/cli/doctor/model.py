# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Doctor: which network runtimes work, and whether the model bundles are whole and answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ris_node.cli.doctor.finding import BROKEN, NOTE, OK, WARNING, Finding
from ris_node.errors import RisError

RESTORE = "restore the folder from the repository or package it came with"


def check_backends() -> Iterator[Finding]:
    """Check every known network runtime, and say why one is not used."""
    try:
        from ris_node.runtime.select import probe_backends

        reasons = probe_backends()
    except ImportError as error:
        yield Finding("backends", BROKEN, f"no network runtime can be looked at: {error}", "see 'packages' above")
        return
    for name, reason in reasons.items():
        data = {"backend": name, "works": not reason, "reason": reason}
        if reason:
            yield Finding("backends", NOTE, f"{name} does not run here: {reason}", "", data)
        else:
            yield Finding("backends", OK, f"{name} works{_providers(name)}", "", data)
    if all(reasons.values()):
        yield Finding("backends", BROKEN, "no network runtime works", "pip install onnxruntime")


def check_bundles(extra: Path | None) -> Iterator[Finding]:
    """Verify each packaged bundle and `extra`, then let the default one answer a question about a picture."""
    try:
        from ris_node.bundle import engine_folders, packaged_bundles
    except ImportError as error:
        yield Finding("models", BROKEN, f"bundles cannot be looked at: {error}", "see 'packages' above")
        return
    found = packaged_bundles()
    if not found:
        looked = ", ".join(map(str, engine_folders())) or "no engines folder"
        yield Finding("models", BROKEN, f"no model bundle is installed ({looked})", "install ris_node again")
    elif "default" not in found:
        yield Finding("models", WARNING, "the default model is not installed: the keyword baseline is used", RESTORE)
    for name, path in found.items():
        yield _verify(name, path)
    if extra is not None:
        yield _verify(extra.name, extra)
    if found or extra is not None:
        yield _try_out(extra)


def _verify(name: str, path: Path) -> Finding:
    """Open a bundle, which checks its files, hashes and graphs, and say what it is and what it may be used for."""
    from ris_node.bundle import open_bundle

    try:
        bundle = open_bundle(path)
    except RisError as error:
        return Finding("models", BROKEN, f"{name}: {error}", RESTORE, {"bundle": name, "path": str(path)})
    manifest = bundle.manifest
    megabytes = sum(entry.bytes for entry in manifest.files.values()) / 1e6
    measured = _measured(manifest.quality)
    what = f"{name}: {manifest.model_id}, {megabytes:.1f} MB, files and contract verified"
    lines = [what, f"use: {manifest.use}"] + ([f"measured: {measured}"] if measured else [])
    data = {
        "bundle": name,
        "path": str(path),
        "model_id": manifest.model_id,
        "family": manifest.family,
        "use": manifest.use,
        "quality": dict(manifest.quality),
    }
    return Finding("models", OK, "\n           ".join(lines), "", data)


def _try_out(path: Path | None) -> Finding:
    """Load a bundle as the node does and ground one command in a drawn picture."""
    try:  # here, because the doctor has to speak where NumPy or OpenCV is missing
        import numpy as np

        from ris_node.pipeline.grounder import Grounder
    except ImportError as error:
        return Finding("models", BROKEN, f"no model can be loaded: {error}", "see 'packages' above")

    picture = np.full((480, 640, 3), 114, np.uint8)
    picture[240:] = 80
    try:
        start = time.perf_counter()
        with Grounder.open(path) as grounder:
            loaded = time.perf_counter()
            grounder.ground(picture, "the road")
            times = []
            for _ in range(3):
                before = time.perf_counter()
                grounder.ground(picture, "the road")
                times.append((time.perf_counter() - before) * 1e3)
            info = grounder.info
    except RisError as error:
        return Finding("models", BROKEN, f"the model does not answer: {error}", "see the findings above")
    answer_ms, load_s = sorted(times)[1], loaded - start
    what = f"it answers: loaded in {load_s:.1f} s, {answer_ms:.0f} ms a frame on {info.provider} in {info.precision}"
    data = {"load_s": round(load_s, 2), "answer_ms": round(answer_ms, 1), "precision": info.precision}
    return Finding("models", OK, what, "", {**data, "provider": info.provider, "device": info.device})


def _providers(backend: str) -> str:
    if backend != "onnxruntime":
        return ""
    import onnxruntime

    return f" ({onnxruntime.__version__}: {', '.join(onnxruntime.get_available_providers())})"


def _measured(quality: Mapping[str, Any]) -> str:
    """The scores over everything in an evaluation report, where a manifest keeps one."""
    rows = quality.get("rows") or []
    whole = next((row for row in rows if isinstance(row, Mapping) and row.get("name") == "all"), {})
    scores = [(name, whole.get(name)) for name in ("miou", "found", "refused", "listens", "pointing")]
    return ", ".join(f"{name} {value:.3f}" for name, value in scores if isinstance(value, float))
