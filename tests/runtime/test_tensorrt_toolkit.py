# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which GPUs a TensorRT module takes is known before anything is built."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from engine_kit import GPU, ask, quiet
from fake_cuda import FakeCudart
from tiny_bundle import make_tiny_bundle

from ris_node.errors import BackendError
from ris_node.runtime.tensorrt import toolkit
from ris_node.runtime.tensorrt.build import make_engine
from ris_node.runtime.tensorrt.cuda import Cuda
from ris_node.runtime.tensorrt.toolkit import Toolkit, check_capability


@pytest.mark.parametrize(
    "name, sm, taken",
    [
        ("tensorrt_rtx", "9.0", False),
        ("tensorrt_rtx", "8.7", False),
        ("tensorrt_rtx", "1.2", False),
        ("tensorrt_rtx", "8.9", True),
        ("tensorrt_rtx", "12.0", True),
        ("tensorrt", "9.0", True),
        ("tensorrt", "8.7", True),
    ],
)
def test_the_capabilities_that_a_module_takes(name, sm, taken):
    device = replace(GPU, sm=sm)
    if taken:
        check_capability(name, device)
        return
    with pytest.raises(BackendError, match=rf"takes compute capability 8\.0, 8\.6, 8\.9, 12\.x, .* has {sm}: install"):
        check_capability(name, device)


def test_a_gpu_that_is_not_taken_is_said_before_a_build(monkeypatch, tmp_path):
    """The pretended GPU has 8.7, which TensorRT-RTX refuses after minutes of building."""
    rtx = SimpleNamespace(__version__="1.7.1")
    monkeypatch.setattr(toolkit, "installed", lambda: "tensorrt_rtx")
    monkeypatch.setattr(toolkit, "load_module", lambda name: rtx)
    monkeypatch.setattr(Cuda, "load", classmethod(lambda cls: Cuda(FakeCudart())))
    assert "TensorRT-RTX takes compute capability" in toolkit.probe()
    kit = Toolkit(rtx, None, GPU, "tensorrt_rtx")
    phases: list[str] = []
    with pytest.raises(BackendError, match=r"Pretend GPU has 8\.7"):
        request = ask(make_tiny_bundle(tmp_path / "tiny"), kit, tmp_path / "cache")
        make_engine(request, kit, lambda phase, fraction: phases.append(phase) or quiet(phase, fraction))
    assert phases == [] and not (tmp_path / "cache").exists()
