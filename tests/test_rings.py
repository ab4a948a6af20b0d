# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Three rings, arrows point inward: who may import what; and files and functions stay small."""

from __future__ import annotations

import ast
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from code_figures import circles, import_graph, imported, module_name, package_graph, sources, syntax  # noqa: E402

FILES = sources()
LONG_FILE, MAX_FILE, MAX_FUNCTION, MAX_DEPTH = 300, 500, 40, 3  # lines, lines, lines without the docstring, folders

ROS_MODULES = {
    "rclpy", "ris_msgs", "sensor_msgs", "std_msgs", "std_srvs", "geometry_msgs", "nav_msgs", "diagnostic_msgs",
    "visualization_msgs", "lifecycle_msgs", "rcl_interfaces", "action_msgs", "builtin_interfaces", "vision_msgs",
    "tf2_ros", "tf2_msgs", "cv_bridge", "foxglove_msgs", "message_filters",
}  # fmt: skip
TORCH_MODULES = {"torch", "torchvision", "transformers", "safetensors", "onnxscript"}
TENSORRT_MODULES = {"tensorrt", "tensorrt_rtx", "cuda"}
TORCH_RING = ("ris_node.models", "ris_node.data", "ris_node.training", "ris_node.export")
LICENCE = ["# SPDX-FileCopyrightText: 2026 ris_node authors", "# SPDX-License-Identifier: Apache-2.0"]
# Each exception is a file and the reason why it may.
ROS_OUTSIDE: dict[str, str] = {}
RENDERER_OUTSIDE = {
    "ris_node.replay.rates": "measures replay on bags of rendered drives",
    "ris_node.cli.demo": "checks the source of the demo",
    "ris_node.ros.tools.demo_camera": "publishes the demo's street",
}


def within(module: str, rings: tuple[str, ...]) -> bool:
    """Whether `module` is one of `rings` or lies in one."""
    return any(module == ring or module.startswith(f"{ring}.") for ring in rings)


def tops(names: set[str]) -> set[str]:
    """Return the top-level packages of dotted names."""
    return {name.split(".")[0] for name in names}


def test_imports_stay_in_their_ring() -> None:
    wrong = []
    for path in FILES:
        module, found = module_name(path), tops(set(imported(path)))
        if not within(module, ("ris_node.ros",)) and str(path.relative_to(ROOT)) not in ROS_OUTSIDE:
            wrong += [f"{module} imports {name}: only ris_node/ros may" for name in found & ROS_MODULES]
        if not within(module, TORCH_RING):
            wrong += [f"{module} imports {name}: only models to export may" for name in found & TORCH_MODULES]
        if not within(module, ("ris_node.runtime.tensorrt",)) and not ("trt" in path.stem or "tensorrt" in path.stem):
            wrong += [f"{module} imports {name}: only TensorRT's files may" for name in found & TENSORRT_MODULES]
    assert not wrong, "\n".join(wrong)


def test_the_core_does_not_reach_outward() -> None:
    shells = tuple(f"ris_node.{name}" for name in ("ros", "cli", "demo", "bench", "replay", "review", "fleet"))
    wrong = []
    for path in FILES:
        module = module_name(path)
        if not within(module, (*shells, *TORCH_RING, "ris_node.evaluation", "ris_scene")):
            outward = (name for name in set(imported(path)) if within(name, (*shells, *TORCH_RING)))
            wrong += [f"{module}, of the core, imports {name}" for name in outward]
    assert not wrong, "\n".join(wrong)


def test_the_renderer_stands_alone() -> None:
    inner = ("ris_node.geometry", "ris_node.types", "ris_node.errors")
    bag = ("ris_node.bags", "ris_node.messages", "ris_node.interface", "ris_node.stamps")
    users = tuple(f"ris_node.{name}" for name in ("bench", "data", "demo", "export", "training"))
    wrong = []
    for path in FILES:
        module, found = module_name(path), set(imported(path))
        if within(module, ("ris_scene",)):
            allowed = (*inner, *bag) if module == "ris_scene.bag" else inner
            node = {name for name in found if within(name, ("ris_node",))} - {"ris_node"}
            wrong += [
                f"{module} imports {name}: a renderer needs no node" for name in node if not within(name, allowed)
            ]
        elif not within(module, users) and module not in RENDERER_OUTSIDE:
            wrong += [
                f"{module} imports {name}: nodes render nothing" for name in found if within(name, ("ris_scene",))
            ]
    assert not wrong, "\n".join(wrong)


def test_measurements_do_not_import_shells() -> None:
    barred = {
        "ris_node.evaluation": ("ris_node.cli", "ris_node.replay", "ris_node.review", "ris_node.demo", "ris_node.ros"),
        "ris_node.bench": ("ris_node.cli", "ris_node.replay", "ris_node.demo", "ris_node.ros"),
    }
    wrong = []
    for path in FILES:
        module = module_name(path)
        for package, shells in barred.items():
            if within(module, (package,)):
                wrong += [f"{module} imports {name}" for name in imported(path) if within(name, shells)]
    assert not wrong, "\n".join(wrong)


def test_no_module_imports_itself_through_others() -> None:
    graph = import_graph()
    assert graph["ris_node.cli.__main__"] >= {"ris_node.cli.verbs"}
    assert circles(graph) == []
    assert circles(package_graph(graph)) == []


def test_files_are_small_and_named() -> None:
    wrong = []
    for path in FILES:
        lines, name = path.read_text(encoding="utf-8").splitlines(), module_name(path)
        if len(lines) > MAX_FILE:
            wrong.append(f"{name}: {len(lines)} lines, over {MAX_FILE}: cut it by its ideas")
        elif len(lines) > LONG_FILE:
            warnings.warn(f"{name}: {len(lines)} lines: does it hold two ideas?", stacklevel=1)
        if len(path.relative_to(ROOT).parts) > MAX_DEPTH + 1:
            wrong.append(f"{name}: deeper than {MAX_DEPTH} folders")
        if lines[:2] != LICENCE:
            wrong.append(f"{name}: does not begin with the two SPDX lines")
    assert not wrong, "\n".join(wrong)


def test_functions_are_short() -> None:
    long = []
    for path in FILES:
        for node in ast.walk(syntax(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                length = node.end_lineno - body[0].lineno + 1 if body else 0
                if length > MAX_FUNCTION:
                    long.append(f"{module_name(path)}.{node.name}: {length} lines, over {MAX_FUNCTION}")
    assert not long, "\n".join(long)
