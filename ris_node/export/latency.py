# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""How long graphs take, measured in turn with each other so that a busy machine slows all alike."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.runtime.ort import session_options


def measure(graphs: Mapping[str, Path], threads: int, rounds: int = 60, size: tuple[int, int] = (256, 320)) -> Any:
    """Run each graph `rounds` times, interleaved; return milliseconds (p50, p10) by name, and the threads.

    The session options are the node's. With ONNX Runtime's own, the threads of the graph before are still spinning and
    take the cores from the next: that made the bare trunk look two to three times as slow, and its ratio small.

    A dynamic image input is given `size` (rows, columns).
    """
    import onnxruntime

    sessions: dict[str, tuple[Any, dict[str, np.ndarray]]] = {}
    for name, path in graphs.items():
        options = session_options(onnxruntime, threads)  # whose threads do not spin on while another graph runs
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        sessions[name] = session, {i.name: _zeros(i, size) for i in session.get_inputs()}
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for turn in range(rounds + 5):
        for name, (session, feeds) in sessions.items():
            begun = time.perf_counter()
            session.run(None, feeds)
            if turn >= 5:
                times[name].append((time.perf_counter() - begun) * 1e3)
    found = {
        n: {"p50": round(float(np.median(t)), 2), "p10": round(float(np.percentile(t, 10)), 2)}
        for n, t in times.items()
    }
    return {"threads": threads, "rounds": rounds, "milliseconds": found}


def _zeros(tensor: Any, size: tuple[int, int]) -> np.ndarray:
    kinds = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int64)": np.int64}
    fixed = iter([1, 3, *size])
    static = all(isinstance(d, int) for d in tensor.shape)
    filled = [int(d) if static else next(fixed) for d in tensor.shape]
    return np.zeros(filled, kinds[tensor.type])
