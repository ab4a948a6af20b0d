# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Street scenes with exact truth: rendered with NumPy and OpenCV, seen by a known camera.

```python
from ris_scene import CameraSpec, SceneSpec, render_scene
scene = render_scene(SceneSpec("train", seed=7, camera=CameraSpec(320, 240)), time_s=1.5)
```
"""

from __future__ import annotations

from ris_scene.domains import DOMAINS, Domain, Layout, domain_named
from ris_scene.palette import COLOUR_NAMES
from ris_scene.populate import build_world
from ris_scene.render import render_scene, render_world
from ris_scene.spec import CameraSpec, Placement, Scene, SceneClass, SceneObject, SceneSpec
from ris_scene.world import World

__all__ = [
    "COLOUR_NAMES",
    "CameraSpec",
    "DOMAINS",
    "Domain",
    "Layout",
    "Placement",
    "Scene",
    "SceneClass",
    "SceneObject",
    "SceneSpec",
    "World",
    "build_world",
    "domain_named",
    "render_scene",
    "render_world",
]
