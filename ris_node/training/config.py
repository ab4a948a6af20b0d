# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The settings of a training run, read from YAML; unknown keys are refused by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ris_node.decode import DecodeError, decode
from ris_node.errors import ConfigError
from ris_node.models.registry import DEFAULT, loss_weights

PACKAGED = "packaged"  # name in `init` of the weights that came with the package
# How often each kind of expression is drawn, relative to the others that a picture offers.
KIND_WEIGHTS = {
    "class": 1.0,
    "stuff": 0.7,
    "single": 1.6,
    "order": 2.4,
    "relation": 1.8,
    "colour": 1.4,
    "region": 2.0,
    "absent": 1.0,
    "alien": 0.6,
    "near_miss": 1.4,
}


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Training data: sources, the number of variants of each picture, and how many pictures are held out for the check.

    `variants` maps a source to the number of variants (mirrored, cropped) drawn per picture; `repeat` to how often a
    picture of it is used in an epoch. `files` names one's own JSON lines (`ris_node.data.samples.jsonl`), whose
    texts are taken as they are; of those the last `held_out` pictures are kept for the check. Their pictures are
    mirrored only with `mirror_given`, and only where no text says left or right. Into a share `pasted` of the variants
    go things cut out of other pictures (`ris_node.data.paste.paste`).
    """

    variants: Mapping[str, int] = field(
        default_factory=lambda: {"camvid": 8, "streets": 5, "coco100": 8, "rendered": 2}
    )
    repeat: Mapping[str, float] = field(
        default_factory=lambda: {"camvid": 1.0, "streets": 1.0, "coco100": 1.0, "rendered": 0.5}
    )
    rendered_scenes: int = 600
    held_out: Mapping[str, int] = field(default_factory=lambda: {"camvid": 30, "streets": 24, "coco100": 6})
    files: Mapping[str, str] = field(default_factory=dict)
    mirror_given: bool = False
    pasted: float = 0.0
    per_picture: int = 48
    kinds: Mapping[str, float] = field(default_factory=lambda: dict(KIND_WEIGHTS))
    seed: int = 11


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """AdamW with a warm-up, a constant stretch and a cosine decay over the last `decay` share of `steps`.

    Every step, each of `processes` processes of `threads` threads takes `images` pictures with `expressions` each.
    On CPUs that others use too, several processes of one thread lose less time waiting for each other. A launcher
    (`accelerate launch`, `torchrun`) decides `processes` itself; a single GPU is used by one.
    """

    steps: int = 3000
    images: int = 3
    expressions: int = 8
    rate: float = 6e-4
    trunk_rate: float = 1e-4
    weight_decay: float = 0.02
    warmup: int = 150
    decay: float = 0.5
    clip: float = 1.0
    ema: float = 0.998
    freeze_before: str = "add12"
    bf16: bool = True
    threads: int = 1
    processes: int = 2


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A whole run; `model` names a registered system, `settings` its config's values, `loss` weights of its loss terms.

    It starts from the weights of the network `trunk` (a path beside the file or below the data folder), or where `init`
    names a checkpoint or a file of weights (`ris export --weights`), from all weights of that one; `init: packaged` are
    the weights that came with the package.
    A check comes every `check_steps` steps, or where that is 0 every `check_minutes`; after `patience` checks without
    a better one the run stops (0: never). Each check draws `grid` answers into one picture. Of the run's second half,
    the running averages of `moments` steps are kept, for `ris export` to take their mean.
    """

    model: str = DEFAULT
    settings: Mapping[str, Any] = field(default_factory=dict)
    trunk: str = "pretrained/deeplab_cityscapes.onnx"
    init: str = ""
    data: DataConfig = field(default_factory=DataConfig)
    loss: Mapping[str, float] = field(default_factory=dict)
    optim: OptimConfig = field(default_factory=OptimConfig)
    check_minutes: float = 8.0
    check_steps: int = 0
    patience: int = 0
    grid: int = 12
    moments: int = 0
    save_minutes: float = 2.0
    seed: int = 3


def load_config(path: Path, changes: Sequence[str] = ()) -> TrainConfig:
    """Read a run's settings; paths in `init`, `data.files` and, if it is there, `trunk` are relative to its folder.

    `changes` ("optim.steps=100", the value as in YAML) take the place of those in the file.

    Raises:
        ConfigError: the file cannot be read, is no mapping, or has an unknown key or a wrong value at any level.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    for change in changes:
        values = _changed(values, change)
    config, folder = config_from(values, str(path)), path.parent.resolve()
    files = {name: str(folder / file) for name, file in config.data.files.items()}
    init = config.init if config.init in ("", PACKAGED) else str(folder / config.init)
    trunk = str(folder / config.trunk) if (folder / config.trunk).is_file() else config.trunk
    return dataclasses.replace(config, init=init, trunk=trunk, data=dataclasses.replace(config.data, files=files))


def _changed(values: object, change: str) -> dict[str, object]:
    """Return `values` with one of them, named by a dotted key before "=", replaced."""
    name, equals, text = change.partition("=")
    *outer, key = name.split(".")
    if not equals or not key or not isinstance(values, Mapping):
        raise ConfigError(f"--set {change}: give KEY=VALUE, such as optim.steps=100")
    if outer:
        rest = ".".join([*outer[1:], key]) + equals + text
        return {**values, outer[0]: _changed(values.get(outer[0], {}), rest)}
    try:
        return {**values, key: yaml.safe_load(text)}
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {change}: the value is no YAML ({error})") from error


def config_from(values: object, where: str = "config") -> TrainConfig:
    """Build the settings from nested mappings (see `load_config`).

    Raises:
        ConfigError: a key is unknown, or a value is of another type.
    """
    try:
        made = decode(TrainConfig, values, where)
    except DecodeError as error:
        raise ConfigError(str(error)) from error
    return dataclasses.replace(made, loss=loss_weights(made.model, made.loss, where))


def to_mapping(config: TrainConfig) -> dict[str, Any]:
    """Return the settings as nested plain values, as they are kept in checkpoints."""
    return dataclasses.asdict(config)
