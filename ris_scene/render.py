# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rendering of a world at a time: the picture with its truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from ris_node.geometry.camera import Camera
from ris_node.types import F32, I32, I64, U8, U16
from ris_scene.ground import Patches, ground_patches
from ris_scene.light import Light, shade, shade_patches
from ris_scene.populate import build_world
from ris_scene.raster import Canvas, Faces, MeshPose, majority, pack, painter_order, pixels_of, visible_order
from ris_scene.sky import paint_sky
from ris_scene.spec import Scene, SceneClass, SceneObject, SceneSpec
from ris_scene.street import Street
from ris_scene.surface import ground_light
from ris_scene.world import Entity, World

RANGE_M = 190.0
_BACKDROP = {SceneClass.BUILDING}
_LEVEL = np.arange(256) / 255.0
# A film-like curve: a little more contrast around the middle.
_CURVE = np.clip(255 * (_LEVEL + 0.045 * np.sin(2 * np.pi * (_LEVEL - 0.5))), 0, 255).astype(np.uint8)


def render_scene(spec: SceneSpec, time_s: float = 0.0) -> Scene:
    """Render a spec at a time in seconds; the world is kept for the next call with the same spec."""
    return render_world(_cached_world(spec), time_s)


@lru_cache(maxsize=4)
def _cached_world(spec: SceneSpec) -> World:
    return build_world(spec)


@dataclass(frozen=True, eq=False)
class _Staged:
    """The entities in view at one time: their ids, poses in `base_link` and drawing ranks."""

    entities: list[Entity]
    ids: list[int]
    poses: list[MeshPose]
    rank: I64


def render_world(world: World, time_s: float) -> Scene:
    """Render a world as the vehicle sees it at a time in seconds.

    Returns:
        A scene whose image has the size of the spec's camera; the same world and time give the same bytes.
    """
    camera, to_camera = world.spec.camera.camera(), world.spec.camera.mount().inverse()
    street = world.street(time_s)
    light = Light.of(world, street, to_camera)
    staged = _stage(world, street, time_s)
    patches = _backdrop(world, ground_patches(world, street))
    canvas = Canvas.on(paint_sky(world.weather, world.spec.camera, world.spec.seed))
    flat_planes = canvas.patches(patches, shade_patches(patches, light), to_camera, camera.matrix)
    faces = _draw(canvas, staged, light, camera, time_s, len(patches.points))
    truth = _Truth.of(canvas, staged, faces, patches)
    size = (camera.width, camera.height)
    covered = np.asarray(cv2.resize(truth.ground(canvas), size, interpolation=cv2.INTER_AREA), np.uint8)
    image = np.asarray(cv2.resize(canvas.colour, size, interpolation=cv2.INTER_AREA), np.uint8)
    image = ground_light(image, covered, world, street, light, list(zip(staged.entities, staged.poses, strict=True)))
    face_planes = np.column_stack([faces.normal, faces.offset])
    return Scene(
        image=_finish(image, world.spec.seed),
        instance_map=truth.instance_map,
        class_map=truth.class_map,
        objects=_objects(staged, truth.instance_map),
        camera=camera,
        camera_in_base=world.spec.camera.mount(),
        layout=world.layout,
        slots=world.slots,
        street=street,
        face_map=truth.face_map,
        planes=np.concatenate([np.zeros((1, 4), np.float32), flat_planes, face_planes]),
        spec=world.spec,
        time_s=time_s,
    )


def _draw(canvas: Canvas, staged: _Staged, light: Light, camera: Camera, time_s: float, patches: int) -> Faces:
    """Draw all entities, far to near, over `patches` flat patches; returns their faces."""
    meshes = [e.mesh(time_s).at_distance(p.x) for e, p in zip(staged.entities, staged.poses, strict=True)]
    faces = pack(meshes, staged.poses, light.to_camera)
    flat = pixels_of(faces.points, camera.matrix)
    order = visible_order(faces, flat, staged.rank, camera.width, camera.height)
    canvas.faces(faces, flat, order, shade(faces, order, light), 1 + patches, camera.matrix)
    return faces


@dataclass(frozen=True, eq=False)
class _Truth:
    """Truth of each pixel: its face i32[H,W], instance u16[H,W] and class u8[H,W]."""

    face_map: I32
    instance_map: U16
    class_map: U8
    patches: int

    @staticmethod
    def of(canvas: Canvas, staged: _Staged, faces: Faces, patches: Patches) -> _Truth:
        """Look up what the face of each pixel belongs to."""
        count = len(patches.points)
        owner = np.concatenate([np.arange(count + 1), count + 1 + faces.owner]).astype(np.int32)
        face_map = majority(canvas.face, owner)
        kinds = np.array([entity.kind for entity in staged.entities], np.uint8)[faces.owner]
        kinds = np.concatenate([np.array([SceneClass.SKY, *patches.kinds], np.uint8), kinds])
        ids = np.concatenate([np.zeros(count + 1, np.uint16), np.array(staged.ids, np.uint16)[faces.owner]])
        return _Truth(face_map, ids[face_map], kinds[face_map], count)

    def ground(self, canvas: Canvas) -> U8:
        """Return 255 where the doubled canvas shows a flat patch, u8[2H,2W]."""
        flat = (canvas.face > 0) & (canvas.face <= self.patches)
        return np.asarray(flat * np.uint8(255), dtype=np.uint8)


def objects_of(world: World, time_s: float, instance_map: U16, class_map: U8) -> Scene:
    """Rebuild the truth of a frame from its maps without rendering it: no picture (black) and no depth."""
    camera, street = world.spec.camera.camera(), world.street(time_s)
    objects = _objects(_stage(world, street, time_s), instance_map)
    black = np.zeros((*instance_map.shape, 3), np.uint8)
    sky = np.zeros(instance_map.shape, np.int32)
    return Scene(
        image=black,
        instance_map=instance_map,
        class_map=class_map,
        objects=objects,
        camera=camera,
        camera_in_base=world.spec.camera.mount(),
        layout=world.layout,
        slots=world.slots,
        street=street,
        face_map=sky,
        planes=np.zeros((1, 4), np.float32),
        spec=world.spec,
        time_s=time_s,
    )


def _stage(world: World, street: Street, time_s: float) -> _Staged:
    """Choose what is near enough, place it in `base_link` and order it far to near."""
    entities, ids, poses = [], [], []
    number = 0
    slope = np.tan(np.radians(world.spec.camera.hfov_deg / 2)) * 1.02
    for original in world.entities:
        number += int(original.countable)
        entity = original.at(time_s)
        reach = max(entity.size[0], entity.size[1])
        if not -reach - 1 < entity.s - street.ego_s < RANGE_M:
            continue
        x, y = street.to_base(np.array(entity.s), np.array(entity.d)).tolist()
        if abs(y) - reach - 2.0 > slope * max(x + reach, 1.0):
            continue
        entities.append(entity)
        ids.append(number if entity.countable else 0)
        poses.append(MeshPose(x, y, entity.z, street.yaw(entity.s) + entity.yaw))
    bounds = np.array([_bounds(entity, pose) for entity, pose in zip(entities, poses, strict=True)]).reshape(-1, 4)
    distance = np.array([np.hypot(pose.x, pose.y) for pose in poses], dtype=np.float64)
    back = np.array([entity.kind in _BACKDROP for entity in entities], dtype=bool)
    rank = np.zeros(len(entities), np.int64)
    rank[back] = np.argsort(np.argsort(-distance[back]))
    rank[~back] = back.sum() + painter_order(bounds[~back], distance[~back])
    return _Staged(entities, ids, poses, rank)


def _bounds(entity: Entity, pose: MeshPose) -> tuple[float, float, float, float]:
    """Return (x0, x1, y0, y1) of the footprint in `base_link`."""
    c, s = abs(np.cos(pose.yaw)), abs(np.sin(pose.yaw))
    hx = (entity.size[0] * c + entity.size[1] * s) / 2
    hy = (entity.size[0] * s + entity.size[1] * c) / 2
    return pose.x - hx, pose.x + hx, pose.y - hy, pose.y + hy


def _backdrop(world: World, patches: Patches) -> Patches:
    """Put a far line of trees and roofs behind everything, where the street ends in the haze."""
    rng = np.random.default_rng([world.spec.seed, 3])
    out = Patches()
    for x, low, high, kind, colour in (
        (330.0, 8.0, 26.0, SceneClass.BUILDING, (150, 146, 144)),
        (230.0, 3.0, 10.0, SceneClass.TREE, world.palette.leaves[0]),
    ):
        y = np.linspace(-330, 330, 67)
        tops = rng.uniform(low, high, 67)
        if kind == SceneClass.BUILDING:
            y, tops = np.repeat(y, 2)[1:], np.repeat(tops, 2)[:-1]
        outline = np.concatenate([np.column_stack([y, tops]), [[330.0, -0.5], [-330.0, -0.5]]])
        out.add_upright(np.column_stack([np.full(len(outline), x), outline]), kind, colour)
    out.points += patches.points
    out.kinds += patches.kinds
    out.colours += patches.colours
    return out


def _objects(staged: _Staged, instance_map: np.ndarray) -> tuple[SceneObject, ...]:
    """List countable things with their visible pixels and boxes."""
    seen = np.bincount(instance_map.ravel(), minlength=max(staged.ids, default=0) + 1)
    objects = []
    for entity, number, pose in zip(staged.entities, staged.ids, staged.poses, strict=True):
        if number == 0:
            continue
        length, width, height = entity.size
        yaw = float((pose.yaw + np.pi) % (2 * np.pi) - np.pi)
        thing = SceneObject(
            id=number,
            label=entity.kind.word,
            colour=entity.colour,
            x=pose.x,
            y=pose.y,
            yaw=yaw,
            length=length,
            width=width,
            height=height,
            speed=float(np.hypot(entity.vs, entity.vd)),
            pixels=int(seen[number]),
            parked=entity.parked,
        )
        objects.append(thing)
    return tuple(_boxed(objects, instance_map))


def _boxed(objects: list[SceneObject], instance_map: np.ndarray) -> list[SceneObject]:
    """Add the box of the visible pixels of each object."""
    rows, columns = np.nonzero(instance_map)
    values = instance_map[rows, columns]
    order = np.argsort(values, kind="stable")
    values, rows, columns = values[order], rows[order], columns[order]
    found, first = np.unique(values, return_index=True)
    if not len(found):
        return objects
    x0, x1 = np.minimum.reduceat(columns, first), np.maximum.reduceat(columns, first)
    y0, y1 = np.minimum.reduceat(rows, first), np.maximum.reduceat(rows, first)
    boxes = {
        int(v): (int(a), int(b), int(c - a + 1), int(d - b + 1))
        for v, a, b, c, d in zip(found, x0, y0, x1, y1, strict=True)
    }
    return [replace(thing, box=boxes.get(thing.id, (0, 0, 0, 0))) for thing in objects]


def _finish(image: U8, seed: int) -> U8:
    """Add what a lens and a sensor add: slight vignetting and grain."""
    height, width = image.shape[:2]
    gain, grain = _lens(width, height)
    shift = (seed * 7919) % (width * 2)
    out = image * gain + np.roll(grain, shift, axis=1)
    return np.asarray(cv2.LUT(cv2.convertScaleAbs(out), _CURVE), dtype=np.uint8)


@lru_cache(maxsize=4)
def _lens(width: int, height: int) -> tuple[F32, F32]:
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    gain = (1.0 - 0.09 * (x**2 + y**2))[..., None].astype(np.float32)
    grain = np.random.default_rng(1).normal(0, 1.6, (height, width, 3)).astype(np.float32)
    return gain, grain
