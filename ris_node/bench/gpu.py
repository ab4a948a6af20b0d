# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Network on a GPU, in turn: every kernel launched, one CUDA graph, half precision, and TensorRT's provider."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from ris_node.bench.series import Series
from ris_node.bundle.bundle import VISION_FILES, Bundle
from ris_node.config import ModelConfig
from ris_node.errors import BackendError
from ris_node.report.values import finite
from ris_node.runtime import ort_gpu
from ris_node.runtime.base import Array
from ris_node.runtime.ort import OrtSession

WARM = 5  # passes before any is timed


@dataclass
class Variant:
    """Way to run the vision graph; `off` is how far its logits are from float32's on the CPU, at most."""

    title: str
    precision: str
    backend: str
    _: KW_ONLY
    graph: bool
    series: Series = field(default_factory=Series)
    device: str = ""
    nodes: int = 0  # on the GPU; 0: this ONNX Runtime cannot tell
    off: float = float("nan")
    failed: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        if self.failed:
            return {"network": self.title, "failed": self.failed}
        return {
            "network": self.title,
            "device": self.device,
            "nodes": self.nodes or None,
            "logits_off": finite(self.off, 6),
            **self.series.to_json(),
        }


@dataclass
class GpuTable:
    """Table of the variants measured; `missing` is the reason where there are none."""

    variants: list[Variant] = field(default_factory=list)
    missing: str = "not looked for"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"missing": self.missing, "variants": [one.to_json() for one in self.variants]}

    def lines(self) -> list[str]:
        """Return the table for people, or the one line that says why there is none."""
        if self.missing:
            return ["", f"No GPU table: {self.missing}."]
        found = [
            "",
            "On the GPU, in turn (nodes: what the provider runs; a launch waits for each, a graph for none):",
            "",
        ]
        found += ["| network | p50 ms | p99 ms | nodes | logits off by |", "|---|---:|---:|---:|---:|"]
        for one in self.variants:
            if one.failed:
                found.append(f"| {one.title} | | | | {one.failed[:120]} |")
                continue
            nodes = str(one.nodes) if one.nodes else "-"
            off = "-" if np.isnan(one.off) else f"{one.off:.2g}"
            found.append(f"| {one.title} | {one.series.p50:.2f} | {one.series.p99:.2f} | {nodes} | {off} |")
        return found


def find_variants(bundle: Bundle) -> GpuTable:
    """Return the ways to run a bundle's vision graph on this machine's GPU, or why there is none."""
    why = {name: ort_gpu.probe(name) for name in ort_gpu.PROVIDERS}
    cuda, tensorrt = ort_gpu.PROVIDERS
    if all(why.values()):
        return GpuTable(missing=why[cuda])
    files = [(precision, words) for precision, words in (("fp32", "float32"), ("fp16", "half precision"))
             if bundle.file(VISION_FILES[precision])]  # fmt: skip
    found = []
    if not why[cuda]:
        found += [Variant(f"{words}, every kernel launched", p, cuda, graph=False) for p, words in files]
        found += [Variant(f"{words}, one CUDA graph", p, cuda, graph=True) for p, words in files]
    if not why[tensorrt]:
        found += [Variant(f"{words}, TensorRT's provider", p, tensorrt, graph=False) for p, words in files]
    return GpuTable(sorted(found, key=lambda one: one.precision != "fp32"), missing="")


def measure_gpu(
    bundle: Bundle,
    config: ModelConfig,
    feeds: Mapping[str, Array],
    rounds: int,
    passes: int,
    say: Callable[[str], None],
) -> GpuTable:
    """Time every variant in turn; one that cannot run says why, and the others go on."""
    table = find_variants(bundle)
    if table.missing:
        return table
    with ExitStack() as stack:
        ready = []
        for one in table.variants:
            say(f"GPU, loading {one.title}")
            try:
                session = stack.enter_context(_open(one, bundle, config))
                for _ in range(WARM):
                    session.run(feeds)
            except Exception as error:  # onnxruntime raises many kinds, none of them public
                one.failed = " ".join(str(error).split())
                continue
            ready.append((one, session))
        if ready:
            _compare(ready, bundle, config, feeds)
        for turn in range(rounds):
            say(f"GPU, round {turn + 1} of {rounds}")
            for one, session in ready:
                one.series.add([_pass_ms(session, feeds) for _ in range(passes)])
    if not ready:
        table.missing = f"nothing runs on it: {table.variants[0].failed}"
    return table


def _open(one: Variant, bundle: Bundle, config: ModelConfig) -> OrtSession:
    """Load a variant and note what runs where.

    Raises:
        BackendError: the provider does not run it, or a graph that was asked for cannot be captured.
    """
    session = OrtSession(
        bundle.path / VISION_FILES[one.precision],
        num_threads=config.num_threads,
        providers=[ort_gpu.PROVIDERS[one.backend]],
        device_id=config.device_id,
        strict=True,
        cache_dir=config.engine_cache_dir,
        cuda_graph=one.graph,
    )
    if one.graph and not session.captured:
        session.close()
        raise BackendError("its passes cannot be captured as a CUDA graph; the log above says why")
    one.device, one.nodes = session.info.device, session.used.nodes[ort_gpu.PROVIDERS[one.backend]]
    return session


def _compare(
    ready: Sequence[tuple[Variant, OrtSession]], bundle: Bundle, config: ModelConfig, feeds: Mapping[str, Array]
) -> None:
    with OrtSession(bundle.path / VISION_FILES["fp32"], num_threads=config.num_threads) as exact:
        wanted = exact.run(feeds)
    for one, session in ready:
        given = session.run(feeds)
        one.off = max(float(np.abs(given[name] - value).max()) for name, value in wanted.items())


def _pass_ms(session: OrtSession, feeds: Mapping[str, Array]) -> float:
    begin = time.perf_counter()
    session.run(feeds)
    return (time.perf_counter() - begin) * 1e3
