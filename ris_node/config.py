# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the node, defined once: ROS parameters, YAML and the tables of docs/ come from here.

Each group is a frozen dataclass whose fields carry their documentation, range and whether they may change
while the node runs. The core reads the groups; `ris_node.ros.node.params` declares them; nothing here knows ROS.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, TypeVar

from ris_node.errors import ConfigError
from ris_node.plugins import added_choices

Value = Any  # bool | int | float | str | tuple[str, ...]: what a ROS parameter can hold here
Group = TypeVar("Group", bound="ParameterGroup")

FIXED = ("autostart",)  # never change after start-up


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One parameter: its name, type, default, meaning and limits."""

    name: str
    group: str
    type: type
    default: Value
    doc: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    dynamic: bool = False

    @property
    def taken(self) -> str:
        """When a change counts, in words: descriptors and parameter files say it."""
        if self.name in FIXED:
            return "read at start-up"
        if self.dynamic:
            return "may change while running"
        model = self.group == "model"
        return "used at the next configure or ~/reload_model" if model else "may change while unconfigured"

    def check(self, value: Value) -> Value:
        """Return `value` in the parameter's type.

        Raises:
            ConfigError: the value has another type, is not finite, or is out of range.
        """
        value = self._typed(value)
        if self.choices and value not in self.choices and value not in (added := added_choices(self.name)):
            raise ConfigError(f"{self.name} is '{value}': choose one of {', '.join((*self.choices, *added))}")
        if self.type in (int, float):
            if not math.isfinite(value):
                raise ConfigError(f"{self.name} is {value}: give a finite number")
            if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
                raise ConfigError(f"{self.name} is {value}: give a number {self.range_text}")
        return value

    def _typed(self, value: Value) -> Value:
        if self.type is tuple and isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
            return tuple(value)
        if self.type is float and isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, self.type) and (self.type is bool or not isinstance(value, bool)):
            return value
        raise ConfigError(f"{self.name} is {value!r}: give a value of type {self.type.__name__}")

    @property
    def range_text(self) -> str:
        """The limits in words, for tables and errors."""
        if self.choices:
            return " | ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"from {self.low:g} to {self.high:g}"
        return f"of at least {self.low:g}" if self.low is not None else ""


def param(
    default: Value,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    dynamic: bool = False,
) -> Any:
    """Declare a parameter as a dataclass field with its documentation and limits."""
    return field(
        default=default,
        metadata={"doc": doc, "low": low, "high": high, "choices": choices, "dynamic": dynamic},
    )


@dataclass(frozen=True)
class ParameterGroup:
    """A set of parameters that belong together; values are checked when it is made."""

    def __post_init__(self) -> None:
        for spec in self.specs():
            object.__setattr__(self, spec.name, spec.check(getattr(self, spec.name)))

    @classmethod
    def specs(cls) -> tuple[Spec, ...]:
        """Return the definitions of the group's parameters, in order."""
        group = cls.__name__.replace("Config", "").lower()
        return tuple(
            Spec(name=f.name, group=group, type=type(f.default), default=f.default, **f.metadata) for f in fields(cls)
        )

    def with_values(self: Group, values: Mapping[str, Value]) -> Group:
        """Return a copy with those of `values` that belong to this group; others are left alone."""
        names = {f.name for f in fields(self)}
        return replace(self, **{name: value for name, value in values.items() if name in names})


BACKENDS = ("auto", "tensorrt", "onnxruntime", "onnxruntime-cuda", "onnxruntime-tensorrt")


@dataclass(frozen=True, kw_only=True)
class ModelConfig(ParameterGroup):
    """Which network runs, and on what."""

    autostart: bool = param(False, "configure and activate without a lifecycle manager")
    model_dir: str = param("", "folder of the model bundle; empty: the packaged default bundle")
    backend: str = param("auto", "network runtime", choices=BACKENDS)
    providers: tuple[str, ...] = param((), "ONNX Runtime execution providers in order; empty: CPU")
    device_id: int = param(0, "GPU index, where one is used", low=0)
    precision: str = param("auto", "precision asked for", choices=("auto", "fp32", "fp16", "int8"))
    engine_cache_dir: str = param("", "where built engines are kept; empty: $XDG_CACHE_HOME/ris_node/engines")
    engine_build: str = param("auto", "build a missing TensorRT engine", choices=("auto", "never", "force"))
    cuda_graph: bool = param(True, "on a GPU, replay the network as one CUDA graph; false launches every kernel")
    warmup_iterations: int = param(2, "network passes before READY", low=0, high=100)
    num_threads: int = param(0, "CPU threads of the network; 0: one a core", low=0, high=256)


@dataclass(frozen=True, kw_only=True)
class InputConfig(ParameterGroup):
    """How frames come in, and which are answered."""

    image_transport: str = param("raw", "subscribe to `image` or `image/compressed`", choices=("raw", "compressed"))
    depth_transport: str = param(
        "raw", "subscribe to `depth/image` or `depth/image/compressedDepth`", choices=("raw", "compressedDepth")
    )
    input_reliability: str = param(
        "best_effort", "QoS reliability asked of the camera", choices=("best_effort", "reliable")
    )
    max_rate_hz: float = param(
        0.0, "answer at most so many frames a second, by stamp; 0: all", low=0.0, high=1000.0, dynamic=True
    )
    max_frame_age_s: float = param(
        0.0, "drop frames older than this when work on them would start; 0: never", low=0.0, high=3600.0, dynamic=True
    )
    drop_policy: str = param(
        "latest", "`latest`: newest frame wins; `all`: every frame waits", choices=("latest", "all")
    )


@dataclass(frozen=True)
class QueryConfig(ParameterGroup):
    """Which commands are taken, and for how long."""

    default_query: str = param("", "command that is active after start-up; empty: none")
    query_ttl_s: float = param(
        0.0, "seconds a command stays active unless it says so itself; 0: until replaced", low=0.0, dynamic=True
    )
    max_query_chars: int = param(512, "longer commands are refused", low=1, high=100000)
    min_asr_confidence: float = param(
        0.0,
        "spoken commands with a lower recogniser confidence are refused; 0 or NaN is unknown and taken",
        low=0.0,
        high=1.0,
        dynamic=True,
    )


@dataclass(frozen=True, kw_only=True)
class OutputConfig(ParameterGroup):
    """From logits to verdict, masks and pictures."""

    mask_threshold: float = param(
        -1.0, "mask probability from which a pixel counts; -1: the bundle's", low=-1.0, high=1.0, dynamic=True
    )
    presence_threshold: float = param(
        -1.0, "presence from which a referent is PRESENT; -1: the bundle's", low=-1.0, high=1.0, dynamic=True
    )
    uncertain_band: float = param(
        -1.0, "presence this far below the threshold is UNCERTAIN; -1: the bundle's", low=-1.0, high=1.0, dynamic=True
    )
    min_area_fraction: float = param(
        -1.0,
        "smaller connected pieces are ignored (share of the image); -1: the bundle's",
        low=-1.0,
        high=1.0,
        dynamic=True,
    )
    max_instances: int = param(16, "at most so many instances are reported, largest first", low=1, high=255)
    overlay_alpha: float = param(0.45, "opacity of the overlay", low=0.0, high=1.0, dynamic=True)
    temporal_smoothing: float = param(
        0.0, "weight of the previous frame's answer to the same query", low=0.0, high=0.95, dynamic=True
    )


@dataclass(frozen=True, kw_only=True)
class RegionConfig(ParameterGroup):
    """From a region in pixels to a goal in metres."""

    target_frame: str = param("base_link", "frame of targets; never a camera frame")
    base_frame: str = param("base_link", "vehicle frame that the camera's pose parameters refer to")
    camera_x_m: float = param(0.0, "camera position forward of base_frame, used without TF", low=-100, high=100)
    camera_y_m: float = param(0.0, "camera position left of base_frame, used without TF", low=-100, high=100)
    camera_z_m: float = param(1.5, "camera height above base_frame's ground, used without TF", low=0.01, high=100)
    camera_roll_deg: float = param(0.0, "camera roll, REP 103 sign (right side down positive)", low=-180, high=180)
    camera_pitch_deg: float = param(0.0, "camera pitch, REP 103 sign (nose down positive)", low=-90, high=90)
    camera_yaw_deg: float = param(0.0, "camera yaw, REP 103 sign (left positive)", low=-180, high=180)
    vehicle_length_m: float = param(4.5, "length of the vehicle that must fit", low=0.05, high=50)
    vehicle_width_m: float = param(1.9, "width of the vehicle that must fit", low=0.05, high=20)
    clearance_m: float = param(0.3, "free space kept on every side of the vehicle", low=0.0, high=10)
    min_region_m2: float = param(4.0, "smaller regions are TOO_SMALL", low=0.0, high=10000)
    max_range_m: float = param(40.0, "nothing farther from the camera is used", low=0.5, high=500)
    goal_point: str = param(
        "inscribed", "where in the region the goal is", choices=("inscribed", "centroid", "nearest")
    )
    goal_yaw: str = param("approach", "heading at the goal", choices=("approach", "keep", "axis"))
    stable_frames: int = param(1, "frames in a row before a target pose is published", low=1, high=1000)
    grid_resolution: float = param(0.1, "cell size of the ground grid in metres", low=0.02, high=1.0)
    marker_lifetime_s: float = param(
        2.0,
        "seconds after which RViz drops a marker that was not sent anew, as after a kill; 0: never",
        low=0.0,
        high=3600.0,
        dynamic=True,
    )


GROUPS: tuple[type[ParameterGroup], ...] = (ModelConfig, InputConfig, QueryConfig, OutputConfig, RegionConfig)


@dataclass(frozen=True)
class NodeConfig:
    """All groups together: the node's whole configuration."""

    model: ModelConfig = field(default_factory=ModelConfig)
    input: InputConfig = field(default_factory=InputConfig)
    query: QueryConfig = field(default_factory=QueryConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    region: RegionConfig = field(default_factory=RegionConfig)

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> NodeConfig:
        """Make a configuration from parameter names and values.

        Raises:
            ConfigError: a name is unknown or a value does not fit.
        """
        return cls().with_values(values)

    def with_values(self, values: Mapping[str, Value]) -> NodeConfig:
        """Return a copy with `values` changed.

        Raises:
            ConfigError: a name is unknown or a value does not fit.
        """
        unknown = unknown_text(values)
        if unknown:
            raise ConfigError(f"{unknown}: see docs/parameters.md, or `ris config`")
        groups = {f.name: getattr(self, f.name).with_values(values) for f in fields(self)}
        return NodeConfig(**groups)


def all_specs() -> Iterator[Spec]:
    """Return every parameter's definition, group by group."""
    for group in GROUPS:
        yield from group.specs()


def unknown_text(names: Iterable[str], *others: str) -> str:
    """Return a text on those names that are no parameters, with the nearest one that is; "" where all are.

    `others` are known too.
    """
    known = [*(spec.name for spec in all_specs()), *others]
    said = []
    for name in sorted(set(names) - set(known)):
        near = get_close_matches(name, known, n=1)
        said.append(f"{name} (did you mean {near[0]}?)" if near else name)
    return f"unknown parameter {', '.join(said)}" if said else ""
