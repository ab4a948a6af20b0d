# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which TensorRT and which GPU there are. The only place that imports either TensorRT module."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ris_node.errors import BackendError
from ris_node.runtime.tensorrt.cuda import Cuda

MODULES = ("tensorrt", "tensorrt_rtx")  # in order of preference
SUPPORTED = {"tensorrt": ((10, 3), (12, 0)), "tensorrt_rtx": ((1, 0), (2, 0))}  # from, up to but not with
# what TensorRT-RTX 1.x said that it takes when it refused an H100 (9.0); TensorRT itself takes all that CUDA does
CAPABLE = {"tensorrt_rtx": ("8.0", "8.6", "8.9", "12.")}


@dataclass(frozen=True, kw_only=True)
class DeviceInfo:
    """The GPU that engines are built for, and the system around it; `index` is -1 where there is none."""

    name: str
    sm: str  # compute capability, "8.7"
    memory_bytes: int = 0
    platform: str = ""  # "linux-aarch64"
    system: str = ""  # L4T release or OS
    driver: str = ""
    cuda: str = ""
    index: int = 0

    @property
    def present(self) -> bool:
        """Whether engines can be loaded and run here, not only built."""
        return self.index >= 0


@dataclass(frozen=True)
class Toolkit:
    """A TensorRT module, CUDA (None: engines can be built, not run) and the GPU."""

    trt: Any
    cuda: Cuda | None
    device: DeviceInfo
    name: str = "tensorrt"

    @property
    def version(self) -> str:
        """The module's version, all four parts where it tells them."""
        return str(self.trt.__version__)


def detect(device_id: int = 0) -> Toolkit:
    """Return the TensorRT and the GPU of this machine.

    Raises:
        BackendError: what is missing, and how to get it.
    """
    name = installed()
    cuda = Cuda.load()
    count = cuda.device_count()
    if device_id >= count:
        raise BackendError(f"there is no GPU {device_id} (CUDA sees {count}): set device_id to one that is there")
    device = read_device(cuda, device_id)
    check_capability(name, device)
    return Toolkit(load_module(name), cuda, device, name)


def check_capability(name: str, device: DeviceInfo) -> None:
    """Make sure, before anything is built, that a TensorRT module takes a GPU.

    Raises:
        BackendError: it does not; the message says which it takes.
    """
    takes = CAPABLE.get(name, ())
    if takes and not device.sm.startswith(takes):
        words = ", ".join(f"{sm}x" if sm.endswith(".") else sm for sm in takes)
        raise BackendError(
            f"TensorRT-RTX takes compute capability {words}, {device.name} has {device.sm}: install TensorRT itself "
            "(`pip install 'tensorrt>=10.3,<12' cuda-python`), or leave the network to onnxruntime-gpu"
        )


def probe(device_id: int = 0) -> str:
    """Return why TensorRT cannot run here; empty when it can."""
    try:
        detect(device_id)
    except BackendError as error:
        return str(error)
    return ""


def installed() -> str:
    """Return the name of the TensorRT module to use.

    Raises:
        BackendError: none is installed.
    """
    for name in MODULES:
        if importlib.util.find_spec(name) is not None:
            return name
    raise BackendError(
        "TensorRT is not installed: on a Jetson it comes with JetPack (make the environment with "
        "--system-site-packages), elsewhere `pip install 'tensorrt>=10.3,<12' cuda-python`"
    )


def load_module(name: str = "") -> Any:
    """Import a TensorRT module ("": the preferred one of those installed) of a supported version.

    Raises:
        BackendError: it does not import, or its version is not supported.
    """
    name = name or installed()
    if name not in SUPPORTED:
        raise BackendError(f"{name!r} is no TensorRT module: known are {', '.join(MODULES)}")
    try:
        module = importlib.import_module(name)
    except Exception as error:  # a missing library raises OSError, a mismatch ImportError or worse
        raise BackendError(f"{name} does not import ({error}): `ris doctor` shows what is installed") from error
    low, high = SUPPORTED[name]
    found = version_numbers(str(module.__version__))
    if not low <= found < high:
        wanted = f">={'.'.join(map(str, low))},<{'.'.join(map(str, high))}"
        raise BackendError(f"{name} is {module.__version__}, this works with {wanted}: install one of these")
    return module


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the numbers at the start of a version: "10.3.0.post1" is (10, 3, 0)."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def read_device(cuda: Cuda, device_id: int) -> DeviceInfo:
    """Read a GPU's description from CUDA and the system."""
    name, sm, memory = cuda.describe(device_id)
    driver, runtime = cuda.versions()
    return DeviceInfo(
        name=name,
        sm=sm,
        memory_bytes=memory,
        platform=platform_name(),
        system=system_name(),
        driver=driver,
        cuda=runtime,
        index=device_id,
    )


def platform_name() -> str:
    """Return the operating system and processor, as in "linux-aarch64"."""
    return f"{sys.platform}-{platform.machine()}"


def system_name() -> str:
    """Return the L4T release on a Jetson, else the kernel's."""
    release = Path("/etc/nv_tegra_release")
    if release.is_file():
        return release.read_text(encoding="utf-8", errors="replace").split(",")[0].lstrip("# ").strip()
    return f"{platform.system()} {platform.release()}"
