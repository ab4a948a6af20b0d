# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rendered street scenes to train on: always of the renderer's training domain, seen by many cameras."""

from __future__ import annotations

import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.formats.rendered import annotate_scene
from ris_scene import CameraSpec, SceneSpec, domain_named, render_scene

DOMAIN = "train"
_WIDTH, _HEIGHT = 480, 360


def training_scene(index: int, seed: int) -> Annotated:
    """Render scene number `index` of a run's seed; the same numbers give the same picture."""
    domain = domain_named(DOMAIN)
    rng = np.random.default_rng([seed, index, 77])
    count = domain.last_seed - domain.first_seed + 1
    camera = CameraSpec(
        _WIDTH,
        _HEIGHT,
        hfov_deg=float(rng.uniform(50.0, 85.0)),
        y_m=float(rng.uniform(-0.4, 0.4)),
        z_m=float(rng.uniform(1.15, 2.0)),
        pitch_deg=float(rng.uniform(0.0, 9.0)),
    )
    spec = SceneSpec(
        DOMAIN, domain.first_seed + (seed * 997 + index) % count, traffic=float(rng.uniform(0.5, 1.8)), camera=camera
    )
    return annotate_scene(render_scene(spec, time_s=float(rng.uniform(0.0, 20.0))))
