# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The project's rendered streets: exact masks, regions, colours and camera. Images are rendered again when read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ris_node.data.annotated import NOISE_FRACTION, Annotated, make_objects
from ris_node.data.classes import class_id
from ris_node.data.formats.annotate import connected_parts
from ris_node.data.formats.request import PictureSet, Request
from ris_node.data.registry import RENDERED, facts_of
from ris_node.types import Bool
from ris_scene import CameraSpec, SceneSpec, domain_named, render_scene
from ris_scene.spec import Scene, SceneClass
from ris_scene.truth import region_mask

COUNT = {"train": 120, "val": 40}
_WIDTH, _HEIGHT = 480, 360
_NAMES = {
    SceneClass.PEDESTRIAN: "person", SceneClass.MARKING: "road", SceneClass.VOID: "void",
}  # fmt: skip
_NEAREST_BAY_M, _FARTHEST_BAY_M = 5.0, 35.0


def inputs(request: Request) -> tuple[Path, ...]:  # noqa: ARG001
    """Return no files: the renderer needs none."""
    return ()


def annotated(request: Request) -> PictureSet:
    """Return the scenes of a split; no seed, palette or layout of "val" is in "train" (or in the demo)."""
    scenes = tuple(_scene(request.split, number) for number in range(COUNT[request.split]))

    def read(index: int) -> Annotated:
        about = scenes[index]
        spec = SceneSpec(about["domain"], about["seed"], camera=CameraSpec(_WIDTH, _HEIGHT))
        return annotate_scene(render_scene(spec, about["time_s"]))

    names = tuple(f"{number:03d}" for number in range(len(scenes)))
    return PictureSet(request.format, names, tuple({"scene": about} for about in scenes), read)


def _scene(split: str, number: int) -> dict[str, Any]:
    domain, rng = domain_named(split), np.random.default_rng([number, 20261122])
    seed = domain.first_seed + int(rng.integers(domain.last_seed - domain.first_seed + 1))
    time_s = round(float(rng.uniform(0.0, 20.0)), 2)
    return {"domain": split, "seed": seed, "time_s": time_s, "width": _WIDTH, "height": _HEIGHT}


def annotate_scene(scene: Scene) -> Annotated:
    """Return the scene as an annotated picture.

    Things the renderer counts are its instances, with the colours it painted them in; trees, houses, fences, and poles
    or signs without an instance are connected parts of the class map. Free bays in view are `manoeuvre_regions`.
    """
    table = np.array([class_id(_NAMES.get(kind, kind.word)) for kind in SceneClass], np.uint8)
    classes = table[scene.class_map]
    instances = scene.instance_map.copy()
    counts = np.bincount(instances.ravel())
    noise = np.flatnonzero(counts < NOISE_FRACTION * instances.size)
    instances[np.isin(instances, noise)] = 0
    first = max((thing.id for thing in scene.objects), default=0) + 1
    rest = np.where(instances > 0, 0, classes).astype(np.uint8)
    parts, crowds = connected_parts(rest, first=first)
    counted = [class_id(n) for n in ("car", "van", "truck", "bus", "person", "cyclist")]
    parts[np.isin(rest, counted)] = 0
    instances = np.where(instances > 0, instances, parts).astype(np.uint16)
    colours = {thing.id: thing.colour for thing in scene.objects if thing.colour}
    bays = _free_bays(scene)
    return Annotated(
        image=scene.image,
        class_map=classes,
        instance_map=instances,
        objects=make_objects(instances, classes, crowds, colours),
        source=RENDERED,
        name=f"scene/{scene.spec.domain}/{scene.spec.seed}/{scene.time_s:.2f}",
        unsure=facts_of(RENDERED).unsure or frozenset(),
        camera=scene.camera,
        camera_in_base=scene.camera_in_base,
        manoeuvre_regions={} if bays is None else {"park_bay": bays},
    )


def _free_bays(scene: Scene) -> Bool | None:
    """The visible ground of all free parking places within reach, or None where too little shows."""
    street = scene.street
    mask = np.zeros(scene.instance_map.shape, np.bool_)
    for slot in scene.slots:
        if slot.free and _NEAREST_BAY_M < slot.s0 - street.ego_s < _FARTHEST_BAY_M:
            s = np.array([slot.s0, slot.s1, slot.s1, slot.s0])
            d = np.array([slot.d0, slot.d0, slot.d1, slot.d1])
            mask |= region_mask(scene, np.asarray(street.to_base(s, d), np.float64))
    return mask if mask.mean() > 0.0015 else None
