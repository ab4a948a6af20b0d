# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The one contract for every model: the graphs' names, shapes and dtypes, and how a graph may differ from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ris_node.bundle.manifest import GraphSpec, Manifest
from ris_node.errors import BundleError
from ris_node.types import TensorSpec


def contract(manifest: Manifest) -> dict[str, GraphSpec]:
    """Return the graphs that a bundle of this input and text contract must have."""
    height, width = manifest.input.height, manifest.input.width
    length, dim = manifest.text.max_tokens, manifest.text.dim
    text = (_spec("words", (1, length, dim)), _spec("sentence", (1, dim)))
    mask = (1, height // 4, width // 4)
    graphs = {
        "vision": GraphSpec(
            (_spec("image", (1, height, width, 3), "uint8"), text[0], _spec("word_mask", (1, length)), text[1]),
            (_spec("mask_logits", mask), _spec("region_logits", mask), _spec("presence_logit", (1,))),
        )
    }
    if manifest.family == "referring":
        tokens = (_spec("tokens", (1, length), "int64"), _spec("token_mask", (1, length), "int64"))
        graphs["text"] = GraphSpec(tokens, text)
    return graphs


def check_manifest(manifest: Manifest, where: str) -> None:
    """Check that what the manifest says about its graphs is what the contract asks for.

    Raises:
        BundleError: a graph is missing or a tensor differs.
    """
    sizes = (manifest.input.height, manifest.input.width, manifest.text.max_tokens, manifest.text.dim)
    if any(not isinstance(size, int) or size < 1 for size in sizes) or manifest.input.height % 4:
        raise BundleError(f"{where}: input {manifest.input} or text {manifest.text} has an impossible size")
    for name, spec in contract(manifest).items():
        if name not in manifest.graphs:
            raise BundleError(f"{where} does not describe the {name} graph: export the bundle again")
        check_tensors(manifest.graphs[name].inputs, spec.inputs, f"{where}, {name} inputs")
        check_tensors(manifest.graphs[name].outputs, spec.outputs, f"{where}, {name} outputs")


def check_tensors(found: Sequence[TensorSpec], expected: Sequence[TensorSpec], where: str) -> None:
    """Compare two sets of tensors by name, shape and dtype, in any order.

    Raises:
        BundleError: naming the first difference.
    """
    have, want = ({spec.name: spec for spec in specs} for specs in (found, expected))
    if missing := sorted(set(want) - set(have)):
        raise BundleError(f"{where} lack {', '.join(missing)} (there: {', '.join(have)}): export the bundle again")
    if extra := sorted(set(have) - set(want)):
        raise BundleError(f"{where} have {', '.join(extra)}, which the contract does not know: export the bundle again")
    for name, spec in want.items():
        if tuple(have[name].shape) != tuple(spec.shape) or have[name].dtype != spec.dtype:
            raise BundleError(
                f"{where}: {name} is {have[name].dtype}{list(have[name].shape)}, the contract says "
                f"{spec.dtype}{list(spec.shape)}: export the bundle again with these sizes"
            )


def _spec(name: str, shape: tuple[int, ...], dtype: str = "float32") -> TensorSpec:
    return TensorSpec(name, shape, np.dtype(dtype))
