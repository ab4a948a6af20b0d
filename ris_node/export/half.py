# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle's half precision: made, held against float32, and described in the manifest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ris_node.bundle.bundle import VISION_FILES
from ris_node.export.cast import Cast, cast
from ris_node.export.manifest import read_manifest, write_manifest
from ris_node.export.parity import parity
from ris_node.runtime.tensorrt.accept import Parity


def cast_bundle(folder: Path, form: str, real: int = 0) -> tuple[Cast, Parity]:
    """Write a bundle's half-precision graph and how it compares with float32; the manifest then lists both.

    `fp16.kept` in the manifest says that all limits of `ris parity` hold: then it is the default of GPUs. The record
    names the two files that it is about, and goes with either of them.

    Args:
        folder: the bundle, which is written to.
        form: "fp16" or "fp16-safe".
        real: real frames to add to the rendered ones, where there are any.

    Raises:
        ExportError: the float32 graph cannot be cast.
        BundleError: the bundle is damaged.
    """
    exact, half = folder / VISION_FILES["fp32"], folder / VISION_FILES["fp16"]
    done = cast(exact, half, form)
    manifest = write_manifest(folder, read_manifest(folder))
    _, found = parity(exact, half, folder, real)
    pair = {"sha256": manifest.files[half.name].sha256, "reference_sha256": manifest.files[exact.name].sha256}
    numbers = {key: round(value, 6) if isinstance(value, float) else value for key, value in found.as_dict().items()}
    kept = numbers.pop("passed")
    record = {"form": form, "kept": kept, **numbers, "measured_on": "ONNX Runtime, CPU"}
    write_manifest(folder, replace(manifest, fp16={**record, **pair}))
    return done, found
