# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Run the networks on a runtime of your own, here ONNX Runtime called directly.

In a package, name this module in an entry point of the group "ris_node.plugins": mine = "my_package.backend". Then
`backend: mine` works in the node and in every verb of `ris`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnxruntime as ort

from ris_node.bundle.bundle import Bundle
from ris_node.config import ModelConfig
from ris_node.pipeline.grounder import Grounder
from ris_node.runtime.base import Array, BackendInfo, Session, TensorSpec
from ris_node.runtime.select import Backend, graph_file, register_backend

DTYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int64)": np.int64}


class MySession(Session):
    """One loaded network: names, shapes and dtypes of its tensors, and a pass."""

    def __init__(self, path: str, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._network = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.inputs = tuple(map(self._spec, self._network.get_inputs()))
        self.outputs = tuple(map(self._spec, self._network.get_outputs()))
        self.info = BackendInfo(backend="mine", provider="direct", precision="fp32", device="CPU")

    @staticmethod
    def _spec(tensor: ort.NodeArg) -> TensorSpec:
        return TensorSpec(tensor.name, tuple(tensor.shape), np.dtype(DTYPES[tensor.type]))

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run the network once."""
        return dict(zip((spec.name for spec in self.outputs), self._network.run(None, dict(feeds)), strict=True))


def open_graph(bundle: Bundle, graph: str, config: ModelConfig) -> Session:
    """Load the "vision" or "text" graph of a bundle."""
    return MySession(str(bundle.path / graph_file(bundle, graph, "fp32")), config.num_threads)


register_backend("mine", Backend(probe=lambda: "", open=open_graph))  # probe: why it cannot run here, "" if it can

if __name__ == "__main__":
    grey = np.full((480, 640, 3), 128, np.uint8)
    with Grounder.open(model=ModelConfig(backend="mine")) as grounder:
        print(grounder.info, grounder.ground(grey, "the red car").status.name, sep="\n")
