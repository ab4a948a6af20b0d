# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime with inputs and outputs at fixed addresses, as a CUDA graph needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ris_node.errors import BackendError
from ris_node.runtime.base import Array
from ris_node.types import TensorSpec

SETTLE = 2  # the first pass allocates, the second is captured; both belong to loading


class BoundTensors:
    """The tensors of one session, allocated once on a device and bound to every pass.

    A CUDA graph replays kernels with the addresses that they were captured with, so inputs are copied into the same
    memory each time and outputs are copied out of it. One thread at a time.
    """

    def __init__(
        self,
        onnxruntime: Any,
        session: Any,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        device: tuple[str, int],
    ) -> None:
        """Allocate and bind every tensor, and run the network until it is settled.

        Args:
            onnxruntime: the module.
            session: a loaded `onnxruntime.InferenceSession` with static shapes.
            inputs: what the network takes.
            outputs: what it gives.
            device: kind and index, such as ("cuda", 0).

        Raises:
            BackendError: the device has no memory left, or the passes cannot be captured.
        """
        self._session = session
        try:
            self._binding = session.io_binding()
            allocate = onnxruntime.OrtValue.ortvalue_from_shape_and_type
            self._inputs = {s.name: allocate(list(s.shape), s.dtype.type, *device) for s in inputs}
            self._outputs = {s.name: allocate(list(s.shape), s.dtype.type, *device) for s in outputs}
            for name, value in self._inputs.items():
                self._binding.bind_ortvalue_input(name, value)
            for name, value in self._outputs.items():
                self._binding.bind_ortvalue_output(name, value)
        except Exception as error:  # onnxruntime raises many kinds, none of them public
            raise BackendError(f"ONNX Runtime binds no tensors on {device[0]}:{device[1]} ({error})") from error
        blank = {spec.name: np.zeros(spec.shape, spec.dtype) for spec in inputs}
        for _ in range(SETTLE):
            self.run(blank)

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run the network once on checked inputs; the outputs are copies that later passes leave alone.

        Raises:
            BackendError: the pass fails.
        """
        try:
            for name, value in self._inputs.items():
                value.update_inplace(np.ascontiguousarray(feeds[name]))
            self._session.run_with_iobinding(self._binding)
            return {name: np.array(value.numpy()) for name, value in self._outputs.items()}
        except Exception as error:  # onnxruntime raises many kinds, none of them public
            raise BackendError(f"ONNX Runtime did not run the network ({error}); see `ris doctor`") from error
