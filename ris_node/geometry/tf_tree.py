# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A tree of frames in time: recorded transforms, interpolated at a stamp (what tf2 does live, without ROS)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np

from ris_node.errors import GeometryError
from ris_node.geometry.transform import Transform
from ris_node.stamps import NS_PER_S
from ris_node.types import F64

_MOST_STEPS = 64  # of a chain of frames; more is a loop
_JUMP_NS = 2 * NS_PER_S  # smaller steps back are transforms out of order


@dataclass(frozen=True)
class Pose:
    """A frame in its parent at a moment: translation f64[3] in metres, quaternion f64[4] (x, y, z, w) of length 1."""

    translation: F64
    quaternion: F64

    @classmethod
    def of(cls, translation: tuple[float, float, float], quaternion: tuple[float, float, float, float]) -> Pose:
        """Return a pose of plain numbers.

        Raises:
            GeometryError: a number is not finite, or the quaternion is zero.
        """
        t, q = np.array(translation, np.float64), np.array(quaternion, np.float64)
        length = float(np.linalg.norm(q))
        if not (np.isfinite(t).all() and np.isfinite(length)) or length < 1e-6:
            raise GeometryError(f"a transform of {t.tolist()} m and quaternion {q.tolist()} cannot be used")
        return cls(t, q / length)

    def mixed(self, other: Pose, share: float) -> Pose:
        """Return the pose on the way to another: straight in translation, along the shorter arc in rotation (slerp)."""
        a, b = self.quaternion, other.quaternion
        cosine = float(a @ b)
        if cosine < 0.0:
            b, cosine = -b, -cosine
        if cosine > 0.9995:  # nearly parallel: the chord is the arc
            q = a + share * (b - a)
        else:
            angle = np.arccos(cosine)
            q = (np.sin((1.0 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
        t = self.translation + share * (other.translation - self.translation)
        return Pose(t, q / np.linalg.norm(q))

    def transform(self) -> Transform:
        """Return the pose as a transform."""
        x, y, z, w = (float(v) for v in self.quaternion)
        return Transform.from_quaternion(x, y, z, w, self.translation)


@dataclass
class _Edge:
    """A frame's link to its parent; one pose for all times where it is static."""

    parent: str
    static: bool
    stamps: list[int] = field(default_factory=list)
    poses: list[Pose] = field(default_factory=list)


class TfTree:
    """Collects transforms and looks them up at a stamp. Not thread-safe: belongs to whoever reads the bag.

    Args:
        kept_s: moving transforms older than this before the newest are forgotten (as tf2 does).
    """

    def __init__(self, kept_s: float = 30.0) -> None:
        self._kept_ns = int(kept_s * NS_PER_S)
        self._edges: dict[str, _Edge] = {}
        self._frames: set[str] = set()

    def add(self, parent: str, child: str, stamp_ns: int, pose: Pose, *, static: bool = False) -> None:
        """Take the pose of `child` in `parent`; a later parent replaces the earlier one."""
        parent, child = parent.lstrip("/"), child.lstrip("/")
        self._frames.update((parent, child))
        edge = self._edges.get(child)
        if edge is None or edge.parent != parent or edge.static != static:
            edge = self._edges[child] = _Edge(parent, static)
        if static:
            edge.stamps, edge.poses = [0], [pose]
            return
        if edge.stamps and stamp_ns < edge.stamps[-1] - _JUMP_NS:  # the drive began anew
            edge.stamps, edge.poses = [], []
        at = bisect_left(edge.stamps, stamp_ns)
        if at < len(edge.stamps) and edge.stamps[at] == stamp_ns:
            edge.poses[at] = pose
            return
        edge.stamps.insert(at, stamp_ns)
        edge.poses.insert(at, pose)
        old = bisect_left(edge.stamps, edge.stamps[-1] - self._kept_ns)
        if old > 64:  # forgotten in batches: one by one would copy the list each time
            del edge.stamps[:old], edge.poses[:old]

    def knows(self, frame: str) -> bool:
        """Return whether a frame was ever named."""
        return frame.lstrip("/") in self._frames

    def clear(self) -> None:
        """Forget moving transforms, because time has jumped back; static ones hold for ever."""
        self._edges = {child: edge for child, edge in self._edges.items() if edge.static}

    def lookup(self, target: str, source: str, stamp_ns: int) -> Transform:
        """Return the frame `source` in the frame `target` at a stamp.

        Raises:
            GeometryError: a frame is not known, the two are not connected, or a link has no pose around that stamp.
        """
        target, source = target.lstrip("/"), source.lstrip("/")
        for name in (target, source):
            if name not in self._frames:
                raise GeometryError(f"TF has no frame '{name}'; it has {', '.join(sorted(self._frames)) or 'none'}")
        up_source, up_target = self._chain(source), self._chain(target)
        common = next((name for name in up_source if name in up_target), None)
        if common is None:
            raise GeometryError(f"TF does not connect '{source}' (up to '{up_source[-1]}') and '{target}'")
        into = self._climb(up_source[: up_source.index(common)], stamp_ns)
        back = self._climb(up_target[: up_target.index(common)], stamp_ns)
        return back.inverse() @ into

    def _chain(self, frame: str) -> list[str]:
        """Return the frame and its parents up to the root."""
        chain = [frame]
        while chain[-1] in self._edges:
            chain.append(self._edges[chain[-1]].parent)
            if len(chain) > _MOST_STEPS or chain[-1] in chain[:-1]:
                raise GeometryError(f"TF has a loop through '{chain[-1]}': two nodes publish different trees")
        return chain

    def _climb(self, frames: list[str], stamp_ns: int) -> Transform:
        """Return the first frame in the parent of the last."""
        whole = Transform()
        for frame in frames:
            whole = self._at(frame, stamp_ns) @ whole
        return whole

    def _at(self, child: str, stamp_ns: int) -> Transform:
        edge = self._edges[child]
        if edge.static:
            return edge.poses[0].transform()
        at = bisect_left(edge.stamps, stamp_ns)
        if at < len(edge.stamps) and edge.stamps[at] == stamp_ns:
            return edge.poses[at].transform()
        if at == 0 or at == len(edge.stamps):
            near = edge.stamps[0] if at == 0 else edge.stamps[-1]
            side = "before the first" if at == 0 else "after the last"
            gap_s = abs(stamp_ns - near) / NS_PER_S
            raise GeometryError(f"TF '{edge.parent}' to '{child}': the stamp is {gap_s:.3f} s {side} transform")
        share = (stamp_ns - edge.stamps[at - 1]) / (edge.stamps[at] - edge.stamps[at - 1])
        return edge.poses[at - 1].mixed(edge.poses[at], share).transform()
