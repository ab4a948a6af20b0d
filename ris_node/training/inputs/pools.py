# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Sample cache of training items: each picture mirrored, cropped and paired with expressions once, kept on disk.

An item takes tens of milliseconds to make, so all are made ahead, in several processes; those already on disk are
kept. A variant depends on the seed, its picture and its number only.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.atomic import replacing
from ris_node.data.annotated import Annotated
from ris_node.data.classes import class_id
from ris_node.data.formats.index import open_data, open_pictures
from ris_node.data.formats.request import PictureSet
from ris_node.data.location import data_root, locate
from ris_node.data.paste.cutouts import CutoutBank
from ris_node.data.paste.paste import paste
from ris_node.data.registry import RENDERED, facts_of, format_named
from ris_node.data.text.expressions import Expression, generate
from ris_node.errors import ConfigError
from ris_node.pipeline.letterbox import Letterbox
from ris_node.training.config import DataConfig
from ris_node.training.inputs.items import TrainingItem, coverage, random_view
from ris_node.training.inputs.labels import class_cells, meanings_of, object_cells
from ris_node.training.inputs.own import Own, cropped, given, open_own, own_of
from ris_node.types import U8

_VERSION = 4  # 3: the wordings of 22 November; 4: nothing said of what is labelled in part, regions a lane wide
_PASTED_AT_MOST, _PER_CLASS = 4, 300


@dataclass(frozen=True, kw_only=True)
class Job:
    """Request for the variants of one picture: its set, its index there, and the cache folder.

    `own` is the source of given texts; without it they are generated. With `bank`, the file of a `CutoutBank`, things
    are pasted into a share `pasted` of the variants but the first.
    """

    source: str
    index: int
    variants: int
    plain: bool  # no mirror, no crop, and the running check's count of expressions
    height: int
    width: int
    per_picture: int
    seed: int
    folder: Path
    own: Own | None = None
    bank: Path | None = None
    pasted: float = 0.0


def make_item(picture: Annotated, expressions: Sequence[Expression], height: int, width: int) -> TrainingItem:
    """Return a picture and its expressions at the network's scale."""
    letter = Letterbox.fit(picture.width, picture.height, width, height)
    stack = _Stack(height // 4, width // 4), _Stack(height // 4, width // 4), _Stack(height // 8, width // 8)
    at: tuple[list[int], list[int], list[int]] = ([], [], [])
    for e in expressions:
        at[0].append(stack[0].add(e.mask, lambda m: coverage(letter, m, 4)))
        at[1].append(stack[1].add(e.region, lambda m: coverage(letter, m, 4)))
        named = picture.class_mask(class_id(e.class_name)) if e.class_name else None
        at[2].append(stack[2].add(named, lambda m: coverage(letter, m, 8), key=e.class_name))
    objects, object_there = object_cells(picture, letter)
    return TrainingItem(
        image=letter.image(picture.image),
        texts=tuple(e.text for e in expressions),
        kinds=tuple(e.kind for e in expressions),
        masks=stack[0].made(),
        regions=stack[1].made(),
        kind_maps=stack[2].made(),
        mask_at=np.asarray(at[0], np.int32),
        region_at=np.asarray(at[1], np.int32),
        kind_at=np.asarray(at[2], np.int32),
        presence=np.asarray([e.positive for e in expressions], np.uint8),
        has_mask=np.asarray([not e.positive or e.mask is not None for e in expressions], np.uint8),
        has_region=np.asarray([e.type == "region" for e in expressions], np.uint8),
        meanings=meanings_of(tuple(expressions)),
        classes=class_cells(picture, letter),
        objects=objects,
        object_there=object_there,
    )


class _Stack:
    """Maps of one size, each different one once, the first of them empty."""

    def __init__(self, height: int, width: int) -> None:
        self._maps = [np.zeros((height, width), np.uint8)]
        self._known: dict[bytes | str, int] = {}

    def add(self, mask: np.ndarray | None, scale: Callable[[np.ndarray], U8], key: str = "") -> int:
        if mask is None:
            return 0
        name: bytes | str = key or hashlib.sha1(np.packbits(mask).tobytes(), usedforsecurity=False).digest()
        if name not in self._known:
            self._known[name] = len(self._maps)
            self._maps.append(scale(mask))
        return self._known[name]

    def made(self) -> U8:
        return np.stack(self._maps)


def save_item(path: Path, item: TrainingItem) -> None:
    """Write a variant, whole or not at all."""
    values: dict[str, Any] = {k: v for k, v in vars(item).items() if isinstance(v, np.ndarray)}
    words = json.dumps({"texts": item.texts, "kinds": item.kinds})
    values["words"] = np.frombuffer(words.encode(), np.uint8)
    with replacing(path) as beside:
        np.savez(beside, **values)


def load_item(path: Path) -> TrainingItem:
    """Read what `save_item` wrote."""
    with np.load(path) as content:
        values = {name: content[name] for name in content.files if name != "words"}
        words = json.loads(content["words"].tobytes())
    return TrainingItem(texts=tuple(words["texts"]), kinds=tuple(words["kinds"]), **values)


def _paths(job: Job) -> list[Path]:
    mark = "check" if job.plain else "train"
    return [job.folder / f"{job.source}-{job.index:04d}-{mark}-{v}.npz" for v in range(job.variants)]


def _run(job: Job) -> int:
    """Make the variants of a job that are not on disk yet."""
    missing = [(v, path) for v, path in enumerate(_paths(job)) if not path.exists()]
    if not missing:
        return 0
    picture = None if job.own else _picture(job.source, job.index, job.seed)
    for number, path in missing:
        rng = np.random.default_rng([job.seed, job.index, number, int(job.plain), *job.source.encode()])
        if picture is None:
            save_item(path, _own_item(job, number, rng))
            continue
        view = picture if job.plain else random_view(_pasted(job, picture, number, rng), rng, number == 0)
        made = generate(view, rng, "train", job.per_picture)
        if made:
            save_item(path, make_item(view, made, job.height, job.width))
    return len(missing)


def _pasted(job: Job, picture: Annotated, number: int, rng: np.random.Generator) -> Annotated:
    if job.bank is None or number == 0 or rng.random() >= job.pasted:
        return picture
    return paste(picture, _open_bank(job.bank), rng, int(rng.integers(1, _PASTED_AT_MOST + 1)))


@cache
def _open_bank(path: Path) -> CutoutBank:
    return CutoutBank.load(path)


def _fill_banks(jobs: Sequence[Job]) -> None:
    """Cut things out of all photographs that are trained on, where a bank is asked for and not there."""
    for path in sorted({job.bank for job in jobs if job.bank is not None}):
        of = [j for j in jobs if j.bank == path and not j.plain and j.source != RENDERED and j.own is None]
        CutoutBank.open(path, (_picture(j.source, j.index, j.seed) for j in of), _PER_CLASS)


def _own_item(job: Job, number: int, rng: np.random.Generator) -> TrainingItem:
    assert job.own is not None
    picture, expressions = given(job.own, job.index)
    if not job.plain:
        picture, expressions = cropped(picture, expressions, rng, number == 0, job.own.mirror)
        expressions = [expressions[i] for i in sorted(rng.permutation(len(expressions))[: job.per_picture])]
    item = make_item(picture, expressions, job.height, job.width)
    placed = [e.type == "region" and (e.region is not None or not e.positive) for e in expressions]
    unknown = np.full_like(item.kind_at, -1)  # nobody says where else the thing named is
    return replace(item, kind_at=unknown, has_region=np.asarray(placed, np.uint8))


def _picture(source: str, index: int, seed: int) -> Annotated:
    if source == RENDERED:
        from ris_node.training.inputs.rendered import training_scene

        return training_scene(index, seed)
    return _pictures(source, data_root())[index]


@cache
def _pictures(source: str, root: Path) -> PictureSet:
    return open_pictures(f"{source}/train", root)


def plan(config: DataConfig, height: int, width: int, folder: Path) -> tuple[list[Job], list[Job]]:
    """Return the jobs of training and of the running check; held-out pictures are one stretch in each source."""
    # Files are named by a picture's place in its list: another split means other pictures, so another folder.
    _check_sources(config)
    own = {s: open_own(s, Path(file), config.mirror_given) for s, file in config.files.items()}
    said = (s for s in config.variants if s not in own and not format_named(s).annotated)
    own |= {s: own_of(open_data(s, locate(s), "train"), config.mirror_given) for s in said}
    lists = {s: open_pictures(f"{s}/train").names for s in config.variants if s != RENDERED and s not in own}
    base = [_VERSION, height, width, config.per_picture, config.seed]
    folders = {s: _folder(folder, [*base, o.content, o.mirror]) for s, o in own.items()}
    folder = _folder(folder, [*base, lists, *([config.pasted] if config.pasted else [])])
    bank = folder / "cutouts.npz" if config.pasted else None
    train: list[Job] = []
    check: list[Job] = []
    for source, variants in config.variants.items():
        mine = own.get(source)
        count = mine.count if mine else len(lists[source]) if source in lists else config.rendered_scenes
        held = config.held_out.get(source, 0)
        first = count // 2 if facts_of(source).one_drive else count - held  # the ends of a drive touch other sets
        for index in range(count):
            kept_out = first <= index < first + held
            job = Job(
                source=source, index=index, variants=1 if kept_out else variants, plain=kept_out, height=height,
                width=width, per_picture=config.per_picture, seed=config.seed, folder=folders.get(source, folder),
                own=mine, bank=None if mine else bank, pasted=config.pasted,
            )  # fmt: skip
            (check if kept_out else train).append(job)
    return train, check


def _check_sources(config: DataConfig) -> None:
    unused = sorted(set(config.files) - set(config.variants))
    if unused:
        raise ConfigError(f"data: files names {unused}, which variants does not: say how many variants of a picture")
    for name in config.files:
        if not re.fullmatch(r"[A-Za-z0-9_]+", name) or facts_of(name).annotated:
            raise ConfigError(f"data: files names {name!r}: use letters, digits and _, and no set of this project")


def _folder(cache: Path, key: list[Any]) -> Path:
    folder = cache / hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def prepare(jobs: Sequence[Job], workers: int) -> int:
    """Make every item that is missing, in `workers` processes; return how many were made."""
    _fill_banks(jobs)
    due = [job for job in jobs if not all(path.exists() for path in _paths(job))]
    if workers <= 1 or len(due) <= 1:
        return sum(_run(job) for job in due)
    # Not forked: a child that collects a network session of its parent waits for threads that it does not have.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        return sum(pool.map(_run, due, chunksize=8))


def load_pool(job: Job) -> list[TrainingItem]:
    """Read the variants of a picture that are on disk; none where it offers no expression."""
    return [load_item(path) for path in _paths(job) if path.exists()]
