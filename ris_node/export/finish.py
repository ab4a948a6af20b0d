# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What makes a folder of graphs a bundle to ship: the contract inside each file, large weights stored in half."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ris_node.bundle import Manifest
from ris_node.bundle.bundle import VISION_FILES
from ris_node.export.onnx_edit import load, read_contract, save, store_half, write_contract

DERIVED = (VISION_FILES["int8"], VISION_FILES["fp16"], VISION_FILES["int8-trt"], "golden.npz")


def contract_of(manifest: Manifest) -> dict[str, Any]:
    """Return all that is needed to feed the graphs and to read their answers."""
    return {
        "name": manifest.name,
        "version": manifest.version,
        "family": manifest.family,
        "input": asdict(manifest.input),
        "text": {"max_tokens": manifest.text.max_tokens, "dim": manifest.text.dim, "encoder": manifest.text.encoder},
        "thresholds": asdict(manifest.thresholds),
        "outputs": "logits: a probability is their sigmoid; masks at a quarter of the input's size",
    }


def finish_graphs(folder: Path, manifest: Manifest) -> None:
    """Write the contract into the float graphs of a folder, and store their large weights in half precision.

    Graphs made from earlier ones are removed: they would answer for another network. `write_manifest` comes after.
    """
    for name in DERIVED:
        (folder / name).unlink(missing_ok=True)
    for name, precision in ((VISION_FILES["fp32"], "fp32"), ("text.onnx", "text")):
        if (folder / name).is_file():
            model = load(folder / name)
            if not read_contract(model)[1]:
                store_half(model)
            write_contract(model, contract_of(manifest), precision)
            save(model, folder / name)
