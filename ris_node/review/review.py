# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Review of a run: its steadiness, its scores, the frames that a live node would have dropped, and the report."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ris_node.bags.files import find_files
from ris_node.outputs import claim
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.options import (
    FIGURES,
    REPORT,
    SCORES,
    VERB,
    Progress,
    ReplayOptions,
    ReplaySummary,
    read_summary,
)
from ris_node.replay.replay import replay
from ris_node.replay.rows import iter_rows
from ris_node.report.page import require
from ris_node.review.pictures import images_of
from ris_node.review.report import write_report
from ris_node.review.score import score_rows, tabulate
from ris_node.review.scores import write_figures, write_scores
from ris_node.review.steady import LiveDrops, MaskFlow, simulate_live, summarise
from ris_node.review.truth import open_truth
from ris_node.types import U8

LIVE_FRAMES = 20  # answered once more, alone, to know what a live node would take for each
_LIVE_BYTES = 100_000_000
_PLAIN = (
    "bag", "frame", "source_index", "log_ns", "stamp_ns", "query_id", "command", "kind", "status", "presence",
    "target_status", "target_x", "target_y", "total_ms",
)  # fmt: skip


def replay_and_review(
    bag: Path,
    out: Path,
    options: ReplayOptions,
    *,
    grounder: Grounder | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> ReplaySummary:
    """Replay a bag, then score it and write its report as `options` ask.

    Arguments and errors are those of `replay` and `review`; a bag that was complete already is left as it is.
    """
    find_files(bag)  # a wrong path is said before a missing package
    if options.report:
        require()
    summary = replay(bag, out, options, grounder=grounder, progress=progress, stop=stop)
    if summary.frames and not summary.interrupted and not summary.reused:
        review(bag, out, options)
    return summary


def review(bag: Path, out: Path, options: ReplayOptions, *, steady: bool = False) -> None:
    """Score a finished run and write its report, as far as `options` ask for it; `steady`: measure steadiness anyway.

    Raises:
        RisError: the truth or the bag cannot be read, or a package that draws is missing.
    """
    if options.report or options.truth or steady:
        claim(out, (SCORES, FIGURES), by=VERB)
        score_run(bag, out, options, live=options.report)
    if options.report:
        claim(out, (REPORT,), by=VERB)
        write_report(out, [bag])


def score_run(bag: Path, out: Path, options: ReplayOptions, *, live: bool = True) -> None:
    """Measure the run in `out` with the pictures of its bag, and write `scores.parquet` and `scores.json` beside it.

    Raises:
        DataError: the truth cannot be read, or speaks of none of the frames.
        BagError: the bag cannot be opened again.
    """
    topic = str(read_summary(out).get("image_topic", ""))
    total = sum(1 for _ in iter_rows(out, ["frame"]))
    flows, samples = _look(out, bag, topic, total)
    plain = list(iter_rows(out, _PLAIN))
    steady = summarise(plain, flows)
    drops = _live(plain, samples, options) if live and samples else None
    scored = score_rows(list(iter_rows(out)), open_truth(options.truth, bag)) if options.truth else []
    write_scores(out, plain, flows, scored)
    write_figures(out, steady, drops, tabulate(scored) if scored else [])


def _look(out: Path, bag: Path, topic: str, total: int) -> tuple[list[float], list[tuple[str, U8]]]:
    """Measure the mask steadiness of every row, and take (command, image) samples over the drive."""
    flow, flows, samples, held = MaskFlow(), [], [], 0
    step = max(1, total // LIVE_FRAMES)
    for number, (row, image) in enumerate(images_of(bag, topic, iter_rows(out))):
        flows.append(flow.add(row, image) if image is not None else math.nan)
        if image is not None and row["query_id"] and number % step == 0 and held + image.nbytes <= _LIVE_BYTES:
            samples.append((str(row["command"]), image))
            held += image.nbytes
    return flows + [math.nan] * (total - len(flows)), samples


def _live(rows: Sequence[dict[str, Any]], samples: list[tuple[str, U8]], options: ReplayOptions) -> LiveDrops:
    """Answer the samples one by one as a live node would, and put its speed to the recorded arrivals."""
    config = options.config
    with Grounder.open(options.bundle, model=config.model, output=config.output, region=config.region) as grounder:
        prepared = {text: grounder.prepare(text) for text, _ in samples}
        spent = []
        for text, image in samples:
            begin = time.perf_counter()
            grounder.ground(image, prepared[text])
            spent.append((time.perf_counter() - begin) * 1e3)
    return simulate_live((row["log_ns"] for row in rows), spent)
