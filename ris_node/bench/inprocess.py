# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Parts that need no ROS: the network by itself, and the core around it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ris_node.bench.pictures import Pictures
from ris_node.bench.series import Series
from ris_node.bundle.bundle import Bundle, open_bundle
from ris_node.config import ModelConfig
from ris_node.pipeline.grounder import Grounder, PreparedQuery
from ris_node.pipeline.letterbox import Letterbox
from ris_node.runtime.base import Array
from ris_node.runtime.ort import OrtSession
from ris_node.runtime.select import graph_file
from ris_node.types import F32


@dataclass
class Passes:
    """Durations of passes in milliseconds: wall-clock `total` of each, and processor time `cpu` a pass."""

    total: Series = field(default_factory=Series)
    cpu: Series = field(default_factory=Series)


class BareNetwork:
    """The bundle's vision graph on ONNX Runtime and nothing else, fed with one picture and real text features.

    `spinning` uses ONNX Runtime's own defaults, whose threads burn processor time while they wait.
    """

    def __init__(self, bundle: Bundle, config: ModelConfig, feeds: dict[str, Array], *, spinning: bool) -> None:
        path = bundle.path / graph_file(bundle, "vision", config.precision)
        self.feeds = feeds
        self._session: Any
        if spinning:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            options.intra_op_num_threads = config.num_threads
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        else:
            self._session = OrtSession(path, num_threads=config.num_threads)
        self._spinning = spinning

    def run(self, count: int, into: Passes) -> None:
        """Run so many passes back to back."""
        times, used = [], time.process_time()
        for _ in range(count):
            begin = time.perf_counter()
            if self._spinning:
                self._session.run(None, self.feeds)
            else:
                self._session.run(self.feeds)
            times.append((time.perf_counter() - begin) * 1e3)
        into.cpu.add([(time.process_time() - used) * 1e3 / count])
        into.total.add(times)


@dataclass
class CoreSeries(Passes):
    """Durations of the core's passes over pictures of one size in milliseconds, all and stage by stage."""

    preprocess: Series = field(default_factory=Series)
    inference: Series = field(default_factory=Series)
    postprocess: Series = field(default_factory=Series)
    statuses: dict[str, int] = field(default_factory=dict)


class Core:
    """`Grounder.ground` as the node calls it: one prepared command, frames with a known camera."""

    def __init__(self, config: ModelConfig, text: str) -> None:
        self.grounder = Grounder.open(model=config)
        self.query: PreparedQuery = self.grounder.prepare(text)

    def run(self, pictures: Pictures, count: int, into: CoreSeries) -> None:
        """Answer so many frames back to back."""
        totals, timings = [], []
        frames, used = pictures.frames(), time.process_time()
        for _ in range(count):
            frame = next(frames)
            begin = time.perf_counter()
            found = self.grounder.ground(frame, self.query)
            totals.append((time.perf_counter() - begin) * 1e3)
            timings.append(found.timing)
            into.statuses[found.status.name] = into.statuses.get(found.status.name, 0) + 1
        into.cpu.add([(time.process_time() - used) * 1e3 / count])
        into.total.add(totals)
        for name in ("preprocess", "inference", "postprocess"):
            getattr(into, name).add([getattr(timing, name) for timing in timings])

    def feeds(self, pictures: Pictures) -> dict[str, Array]:
        """Return what the network is fed with for the first picture and the command."""
        contract = self.grounder.bundle.manifest.input
        camera = pictures.camera
        box = Letterbox.fit(camera.width, camera.height, contract.width, contract.height, contract.pad_value)
        features = self.query.features
        word_mask: F32 = features.word_mask
        return {
            "image": np.ascontiguousarray(box.image(pictures.images[0])[None]),
            "words": features.words,
            "word_mask": word_mask,
            "sentence": features.sentence,
        }


def bundle_of(config: ModelConfig) -> Bundle:
    """Open the bundle that a configuration names."""
    return open_bundle(config.model_dir or None)
