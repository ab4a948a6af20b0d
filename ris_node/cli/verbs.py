# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The verbs of `ris`. A verb is a module with `add_arguments(parser)` and `run(args) -> int`, and a line here."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from ris_node.entry import AddArguments, Run


@dataclass(frozen=True)
class Verb:
    """One word after `ris`: its module is imported only when the verb is used."""

    name: str
    module: str
    summary: str
    examples: str = ""  # shown by --help where the module sets no epilog of its own

    def load(self) -> tuple[AddArguments, Run]:
        """Import the verb's module and return its `add_arguments` and `run`."""
        module = importlib.import_module(self.module)
        return module.add_arguments, module.run


VERBS: tuple[Verb, ...] = (
    Verb(
        "demo",
        "ris_node.cli.demo",
        "run the ROS 2 node on commands in a moving street scene, and show its answers",
        """\
examples:
  ris demo                                                     a rendered street; see demo/overlay.mp4 afterwards
  ris demo --source drive.mp4 --command "the car in front"     your own film, or a folder of images, or camera:0
  ris demo --source frames --command "the van" --hfov 70       with the view angle, goals come in metres
""",
    ),
    Verb("predict", "ris_node.cli.predict.predict", "ground commands in pictures, without ROS"),
    Verb(
        "doctor",
        "ris_node.cli.doctor.doctor",
        "check installation, backends, bundles and middleware, with a remedy for each finding",
    ),
    Verb(
        "replay",
        "ris_node.cli.bags.replay",
        "answer every frame of recorded drives (bags), without ROS, and score the answers",
    ),
    Verb(
        "compare",
        "ris_node.cli.bags.compare",
        "compare two replays, or two models on one bag; with an exit code for CI",
    ),
    Verb("record", "ris_node.cli.bags.record", "write a bag of a live run, with each topic's own QoS"),
    Verb("play", "ris_node.cli.bags.play", "publish a bag and /clock over DDS, for a live node"),
    Verb("bench", "ris_node.bench.cli", "measure the bare network, the core, and the node over DDS"),
    Verb("data", "ris_node.cli.data", "list the known data sets, check one, convert it to JSON lines"),
    Verb("export", "ris_node.export.__main__", "export a checkpoint to a bundle"),
    Verb("cast", "ris_node.cli.cast", "convert a bundle's vision graph to half precision, for GPUs"),
    Verb(
        "quantize",
        "ris_node.cli.quantize",
        "quantize a bundle's vision graph to INT8, for CPUs or TensorRT, and measure the loss",
    ),
    Verb("check", "ris_node.cli.check", "check ONNX files for TensorRT, and compile them with TensorRT-RTX"),
    Verb("parity", "ris_node.cli.parity", "compare the answers of other precisions with float32"),
    Verb(
        "train", "ris_node.training.__main__", "train a network on pictures with expressions, public sets or your own"
    ),
    Verb("make", "ris_node.cli.make", "make a bundle from the public sets by a recipe: train, export, evaluate"),
    Verb("evaluate", "ris_node.evaluation.__main__", "score bundles on pictures with the truth, and write a report"),
    Verb("engine", "ris_node.cli.engine", "build, list, show, verify and remove TensorRT engines"),
    Verb("config", "ris_node.cli.config", "print every parameter of the node with its default and meaning"),
)
