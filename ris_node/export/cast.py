# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Half precision, written into the graph: TensorRT 11 knows no flag for it, and 10 obeys the file as well.

ONNX Runtime's converter does it; in- and outputs keep the contract's float32. `fp16-safe` leaves norms, softmax and
sums in float32, which is where half precision loses accuracy first; it costs a Cast around each.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from onnx import ModelProto

from ris_node.bundle.bundle import VISION_FILES
from ris_node.errors import ExportError
from ris_node.export.manifest import read_manifest, write_manifest
from ris_node.export.onnx_edit import constants, load, read_contract, save, unpack_half, write_contract
from ris_node.export.parity import parity
from ris_node.runtime.tensorrt.accept import Parity

FORMS: dict[str, tuple[str, ...]] = {
    "fp16": (),
    "fp16-safe": ("LayerNormalization", "Softmax", "Softplus", "ReduceMean", "ReduceSum", "Exp", "Div"),
}
_LARGEST = 65504.0


@dataclass(frozen=True)
class Cast:
    """Describe what a cast did."""

    form: str
    nodes: int  # of the network
    kept: int  # that stay float32
    casts: int  # that had to be put in
    bytes: int


def cast(source: Path, out: Path, form: str) -> Cast:
    """Write a float32 network as half precision.

    Args:
        source: a float32 ONNX file.
        out: where the half-precision network goes.
        form: "fp16" or "fp16-safe".

    Raises:
        ExportError: the source is not float32, or has weights beyond half precision.
    """
    if form not in FORMS:
        raise ExportError(f"there is no form {form!r}: choose one of {', '.join(FORMS)}")
    model = load(source)
    contract, _ = read_contract(model)
    unpack_half(model)
    _check_source(model, source)
    from onnxruntime.transformers.float16 import convert_float_to_float16  # needs the onnx package

    before = Counter(node.op_type for node in model.graph.node)
    half = convert_float_to_float16(model, keep_io_types=True, op_block_list=list(FORMS[form]))
    casts = sum(node.op_type == "Cast" for node in half.graph.node) - before["Cast"]
    write_contract(half, contract, form)
    save(half, out)
    kept = sum(before[name] for name in FORMS[form])
    return Cast(form=form, nodes=before.total(), kept=kept, casts=casts, bytes=out.stat().st_size)


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


def _check_source(model: ModelProto, source: Path) -> None:
    kinds = {node.op_type for node in model.graph.node}
    if kinds & {"QuantizeLinear", "DequantizeLinear"}:
        raise ExportError(f"{source} is quantised: give the float32 file")
    for name, value in constants(model).items():
        if value.dtype == np.float16:
            raise ExportError(f"{source} is half precision already: give the float32 file")
        if value.dtype == np.float32 and value.size and not float(np.abs(value).max()) <= _LARGEST:
            raise ExportError(f"{source}: {name} holds {np.abs(value).max():g}, beyond half precision: rescale it")
