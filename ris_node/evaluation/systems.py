# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Answers of one system to all items: from a bundle, in one pass of several threads, or from a predictions file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import ris_node
from ris_node.config import ModelConfig
from ris_node.data.evalset import EvalItem
from ris_node.data.pictures import read_rgb
from ris_node.errors import CommandError, DataError
from ris_node.evaluation.answers import Prediction, answer_of
from ris_node.evaluation.variants import Entry
from ris_node.pipeline.grounder import Grounder
from ris_node.types import U8, Query, QueryKind, Status

Progress = Callable[[int], Any]


def answer_all(
    entry: Entry,
    items: Sequence[EvalItem],
    root: Path,
    threads: int = 1,
    precision: str = "auto",
    cache: Path | None = None,
    progress: Progress | None = None,
) -> tuple[list[Prediction], dict[str, Any]]:
    """Answer all items with a bundle, a picture at a time in each of `threads` threads, in the order of the items.

    Args:
        entry: the bundle.
        items: what to answer; their images lie below `root`.
        root: the folder of the images.
        threads: each runs its own copy of the network on one core.
        precision: as the node's parameter.
        cache: JSON lines of answers, written as they come; what it holds of the same bundle, items and code is taken.
        progress: told of each item that is done.

    Returns:
        The answers, and what was answered with (model, backend, bytes).
    """
    config = ModelConfig(num_threads=1, precision=precision)
    with ExitStack() as stack:
        grounders = [stack.enter_context(entry.open(config)) for _ in range(threads)]
        about = describe(entry, grounders[0])
        known = _open_cache(cache, {**about, "items": digest(items), "code": code_digest()}) if cache else {}
        found = {i.id: known[i.id] for i in items if i.id in known}
        if progress and found:
            progress(len(found))
        keep = stack.enter_context(_kept(cache)) if cache else None
        for answer in _answers(grounders, [i for i in items if i.id not in found], root):
            found[answer.id] = answer
            if keep:
                keep(answer)
            if progress:
                progress(1)
    return [found[i.id] for i in items], about


def answerable(items: Sequence[EvalItem], root: Path, threads: int = 1) -> tuple[list[EvalItem], list[str]]:
    """Return the items whose picture can be read and has the size of their truth, and what is wrong with the others'.

    Raises:
        DataError: nothing is left.
    """

    def problem(image: str, size: tuple[int, int]) -> str:
        try:
            height, width = read_rgb(root / image, size).shape[:2]
        except DataError as error:
            return str(error)
        differs = (
            f"{root / image} is {width} x {height} pixels, its truth {size[0]} x {size[1]}: give the image it is of"
        )
        return "" if (width, height) == size else differs

    pictures = list(dict.fromkeys((i.image, (i.width, i.height)) for i in items))
    with ThreadPoolExecutor(threads) as pool:
        wrong = dict(zip(pictures, pool.map(problem, *zip(*pictures, strict=True)), strict=True)) if pictures else {}
    left = [i for i in items if not wrong[i.image, (i.width, i.height)]]
    problems = [said for said in wrong.values() if said]
    if not left:
        raise DataError(f"no picture can be measured on: {'; '.join(problems[:1]) or 'there are no items'}")
    return left, problems


@contextmanager
def _kept(cache: Path) -> Iterator[Callable[[Prediction], None]]:
    """Yield what writes an answer to the end of the cache at once."""
    with cache.open("a", encoding="utf-8") as file:

        def keep(answer: Prediction) -> None:
            file.write(json.dumps(answer.to_line()) + "\n")
            file.flush()

        yield keep


def answer(grounder: Grounder, item: EvalItem, image: U8) -> Prediction:
    """Answer one item; a command that the grounder refuses to parse counts as ABSENT."""
    kind = QueryKind.REGION if item.type == "region" else QueryKind.OBJECT
    try:
        return answer_of(item, grounder.ground(image, Query(item.text, kind=kind)))
    except CommandError:
        return Prediction(item.id, Status.ABSENT, 0.0)


def describe(entry: Entry, grounder: Grounder) -> dict[str, Any]:
    """Describe a bundle: model, backend, files, size and the speed that export measured."""
    manifest = grounder.bundle.manifest
    times = (manifest.latency or {}).get("milliseconds", {})
    vision, trunk = (times.get(name, {}).get("p50") for name in ("vision", "bare_trunk"))
    return {
        "model": manifest.model_id,
        "family": manifest.family,
        "variant": entry.variant,
        "description": manifest.description,
        "use": manifest.use,
        "backend": f"{grounder.info.backend} {grounder.info.precision}",
        "bytes": sum(file.bytes for file in manifest.files.values()),
        "files": {name: file.sha256 for name, file in manifest.files.items()},
        "thresholds": asdict(manifest.thresholds),
        "trunk_ratio": round(vision / trunk, 3) if vision and trunk else None,
    }


def read_predictions(path: Path, items: Sequence[EvalItem]) -> tuple[list[Prediction], int]:
    """Read a system's answers in the order of the items, and count those missing (taken as ABSENT).

    Raises:
        DataError: a line cannot be used, answers an unknown item, or one twice; or no item is answered.
    """
    found: dict[str, Prediction] = {}
    wanted = {i.id for i in items}
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                made = Prediction.from_line(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
                raise DataError(f"{path}, line {number}: {error!r}; see 'ris predict --help' for the form") from error
            if made.id in found:
                raise DataError(f"{path}, line {number}: {made.id!r} is answered twice")
            found[made.id] = made
    if not wanted & set(found):
        raise DataError(f"{path} answers none of the {len(items)} items: is it of another manifest?")
    missing = [i for i in items if i.id not in found]
    return [found.get(i.id, Prediction(i.id, Status.ABSENT, 0.0)) for i in items], len(missing)


def digest(items: Sequence[EvalItem]) -> str:
    """Return a fingerprint of the items, texts and truth included."""
    made = hashlib.sha256()
    for item in items:
        made.update(json.dumps(asdict(item), sort_keys=True).encode())
    return made.hexdigest()


def code_digest() -> str:
    """Hash the code between a bundle and its answers, so that a cache does not outlive a change of it."""
    package = Path(ris_node.__file__).parent
    made = hashlib.sha256()
    for folder in ("pipeline", "language", "runtime", "targets", "evaluation"):
        for path in sorted((package / folder).rglob("*.py")):
            made.update(path.read_bytes())
    return made.hexdigest()


def _answers(grounders: Sequence[Grounder], items: Sequence[EvalItem], root: Path) -> Iterator[Prediction]:
    """Answers as they come; each thread reads a picture and answers all its items, so reading and running overlap."""
    free: SimpleQueue[Grounder] = SimpleQueue()
    for grounder in grounders:
        free.put(grounder)

    def run(image: str, size: tuple[int, int], own: list[EvalItem]) -> list[Prediction]:
        grounder = free.get()
        try:
            pixels = read_rgb(root / image, size)
            return [answer(grounder, item, pixels) for item in own]
        finally:
            free.put(grounder)

    with ThreadPoolExecutor(len(grounders)) as pool:
        pending: set[Future[list[Prediction]]] = set()
        try:
            for (image, *size), own in groupby(items, key=lambda i: (i.image, i.width, i.height)):
                pending.add(pool.submit(run, image, (size[0], size[1]), list(own)))
                if len(pending) > 2 * len(grounders):
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield from future.result()
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from future.result()
        finally:
            for future in pending:
                future.cancel()


def _open_cache(path: Path, about: dict[str, Any]) -> dict[str, Prediction]:
    """Return the answers in a cache of the same bundle and items; otherwise it is begun anew."""
    beside = path.with_suffix(".about.json")
    if path.exists() and beside.exists() and json.loads(beside.read_text(encoding="utf-8")) == about:
        known = {}
        whole = []
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                made = Prediction.from_line(json.loads(line))
            except ValueError:  # the line that was being written when the run was stopped
                continue
            known[made.id] = made
            whole.append(line)
        path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
        return known
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("", encoding="utf-8")
    beside.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return {}
