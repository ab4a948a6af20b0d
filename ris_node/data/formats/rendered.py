# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The project's rendered streets: exact masks, regions, colours and camera. Images are rendered again when read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.formats.generated import lines_of
from ris_node.data.formats.index import Line, Request, watched
from ris_node.data.sampleset import Problem
from ris_node.data.scenes import annotate_scene
from ris_node.errors import DataError
from ris_scene import CameraSpec, SceneSpec, domain_named, render_scene

COUNT = {"train": 120, "val": 40}
_WIDTH, _HEIGHT = 480, 360


def inputs(request: Request) -> tuple[Path, ...]:  # noqa: ARG001
    """No files: the renderer needs none."""
    return ()


def read(request: Request) -> Iterator[Line | Problem]:
    """The lines of the scenes of a split; no seed, palette or layout of "val" is in "train" (or in the demo)."""
    yield from lines_of(_scenes(request.split), request.split)


def _scenes(split: str) -> Iterator[tuple[Any, Annotated | DataError]]:
    domain = domain_named(split)
    for number in watched(range(COUNT[split]), "rendering streets", COUNT[split]):
        rng = np.random.default_rng([number, 20261122])
        seed = domain.first_seed + int(rng.integers(domain.last_seed - domain.first_seed + 1))
        time_s = round(float(rng.uniform(0.0, 20.0)), 2)
        spec = SceneSpec(split, seed, camera=CameraSpec(_WIDTH, _HEIGHT))
        about = {"domain": split, "seed": seed, "time_s": time_s, "width": _WIDTH, "height": _HEIGHT}
        yield {"scene": about}, annotate_scene(render_scene(spec, time_s))
