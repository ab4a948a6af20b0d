# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What has to be on the machine beforehand; everything that is missing is named at once, with one apt line."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from envsetup.place import Place, SetupError

PROGRAMS = {"git": ("git",), "make": ("make",), "cmake": ("cmake",), "g++": ("g++", "c++")}  # apt package: names
MINIMUM = (3, 10)
ROS_MODULES = {
    "rclpy": "ros-{distro}-rclpy",
    "sensor_msgs": "ros-{distro}-common-interfaces",
    "rosidl_adapter": "ros-{distro}-rosidl-default-generators",
    "numpy": "python3-numpy",
    "cv2": "python3-opencv",
    "yaml": "python3-yaml",
}


def missing_packages() -> list[str]:
    """Return the apt packages whose programs, modules or headers are not to be found."""
    missing = [package for package, names in PROGRAMS.items() if not any(map(shutil.which, names))]
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        missing.append("python3-venv")
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        missing.append("python3-dev")
    return missing


def check(place: Place) -> None:
    """Look for all that is needed.

    Raises:
        SetupError: something is missing; names all of it and the line that installs it.
    """
    if sys.version_info < MINIMUM:
        raise SetupError(
            f"this is Python {sys.version.split()[0]}, and 3.10 or later is needed. If you have one under another "
            "name, say so: make PYTHON=python3.12 ..."
        )
    if not sys.platform.startswith("linux"):
        raise SetupError(f"this is {sys.platform}: the ROS 2 wheels and the Fast DDS profile are for Linux")
    missing = missing_packages()
    if missing:
        raise SetupError(f"missing: {', '.join(missing)}\n    sudo apt install {' '.join(missing)}")
    if place.ros_distro:
        _check_ros(place.ros_distro)


def _check_ros(distro: str) -> None:
    """See that the sourced ROS works with this interpreter."""
    code = "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if u.find_spec(n) is None])"
    found = subprocess.run([sys.executable, "-c", code, *ROS_MODULES], capture_output=True, text=True, check=False)
    missing = found.stdout.split()
    if found.returncode or "rclpy" in missing:
        raise SetupError(
            f"ROS_DISTRO is '{distro}', but {sys.executable} cannot import its rclpy. Source that ROS's setup.bash and "
            "use its Python (make PYTHON=/usr/bin/python3 ...), or `unset ROS_DISTRO` to work on the wheels instead."
        )
    if missing:
        packages = [ROS_MODULES[name].format(distro=distro) for name in missing]
        raise SetupError(f"missing for ROS {distro}: {', '.join(missing)}\n    sudo apt install {' '.join(packages)}")
