# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of engines share: a GPU that is only a name, toolkits real and fake, and a bundle's request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from fake_cuda import FakeCudart
from fake_tensorrt import Script, fake_tensorrt
from onnx import TensorProto, helper
from real_bindings import api_file

from ris_node.bundle import open_bundle
from ris_node.config import ModelConfig
from ris_node.runtime.tensorrt.backend import request_for
from ris_node.runtime.tensorrt.cuda import Cuda
from ris_node.runtime.tensorrt.spec import EngineRequest
from ris_node.runtime.tensorrt.toolkit import DeviceInfo, Toolkit, platform_name

RELEASES = ("10.3.0", "11.4.0.106")
GPU = DeviceInfo(
    name="Pretend GPU",
    sm="8.7",
    memory_bytes=8 << 30,
    platform=platform_name(),
    system="test",
    driver="12.6",
    cuda="12.6",
    index=0,
)
COMPILE_ONLY = DeviceInfo(name="no GPU, compiled only", sm="8.9", platform=platform_name(), system="test", index=-1)


class Rig:
    """A fake TensorRT of a release with a fake CUDA under it."""

    def __init__(self, release: str, **cuda: Any) -> None:
        self.script, self.cudart = Script(), FakeCudart(**cuda)
        self.script.streams = self.cudart.streams
        self.trt = fake_tensorrt(api_file(release), self.script)
        self.kit = Toolkit(self.trt, Cuda(self.cudart), GPU, "tensorrt")


def rtx_kit() -> Toolkit:
    """The real TensorRT-RTX without a GPU: it builds, and cannot run."""
    rtx = pytest.importorskip("tensorrt_rtx", reason="no TensorRT-RTX: pip install tensorrt-rtx (x86-64)")
    return Toolkit(rtx, None, COMPILE_ONLY, "tensorrt_rtx")


def ask(bundle: Path, kit: Toolkit, root: Path, *, samples: bool = False, **model: Any) -> EngineRequest:
    """The request for a bundle's engine in a cache of its own; without samples it is built much faster."""
    request = request_for(open_bundle(bundle), ModelConfig(engine_cache_dir=str(root), **model), kit)
    return request if samples else replace(request, bundle="")


def quiet(phase: str, fraction: float) -> None:
    """Progress that nobody wants to see."""


def grid_sample(path: Path) -> Path:
    """A network with an operator that the fake's parser refuses."""
    node = helper.make_node("GridSample", ["x", "g"], ["y"])
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 1, 2, 2]) for n in ("x", "y"))
    grid = helper.make_tensor_value_info("g", TensorProto.FLOAT, [1, 2, 2, 2])
    onnx.save(helper.make_model(helper.make_graph([node], "g", [x, grid], [y])), path)
    return path
