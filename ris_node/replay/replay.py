# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Replays one bag: reads, answers and writes, each in its own thread, without losing a frame."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path

from ris_node.bags.files import find_files
from ris_node.bags.reader import Bag, open_bag
from ris_node.bags.topics import choose
from ris_node.outputs import claim
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.frames import FrameJob, FrameReader
from ris_node.replay.options import RESULTS, VERB, Progress, ReplayOptions, ReplaySummary, read_summary
from ris_node.replay.rows import arrow
from ris_node.replay.session import ReplaySession, identity, sequential


def replay(
    bag: Path,
    out: Path,
    options: ReplayOptions,
    *,
    grounder: Grounder | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> ReplaySummary:
    """Answer a bag's frames and write the results into the folder `out`.

    Args:
        bag: a ROS 2 bag's folder, one `.mcap` or `.db3` file, or a ROS 1 `.bag`.
        out: made if missing; holds results.parquet, summary.json and the outputs that `options` name.
        options: commands, topics, configuration, which frames, what to write.
        grounder: a loaded model to use again for the next bag (it is not closed), from `open_model`; None: opened
            and closed here.
        progress: called from this thread about twice a second, and at the end.
        stop: when set, the replay seals what it has, marks it partial and returns.

    Returns:
        What came of it; `complete` False and `problems` where the bag broke off, the disk was full or it was stopped.

    Raises:
        ConfigError: options that do not go together, topics that are ambiguous or missing, or something in `out`
            that no replay made is in the way; nothing was touched.
        BagError: nothing could be read from the bag.
    """
    find_files(bag)  # a wrong path is said before a missing package
    arrow()  # what is missing is said before the work, not after it
    with ExitStack() as stack:
        opened = stack.enter_context(open_bag(bag))
        chosen = choose(opened, options.topics, commands=options.commands.recorded)
        claim(out, options.writes(), [bag], by=VERB)
        if grounder is None:
            grounder = stack.enter_context(open_model(options))
        if options.resume and (done := finished(out, options.fingerprint(*identity(opened, chosen, grounder)))):
            return done
        progress, stop = progress or (lambda _: None), stop or threading.Event()
        return ReplaySession(opened, chosen, out, options, grounder, progress=progress, stop=stop).go()


def finished(out: Path, fingerprint: str) -> ReplaySummary | None:
    """Return the summary of a replay that was complete already; None where something is left to do."""
    found = read_summary(out)
    if not found.get("complete") or found.get("fingerprint") != fingerprint or not (out / RESULTS).is_file():
        return None
    names = {f.name for f in fields(ReplaySummary)}
    kept = {name: value for name, value in found.items() if name in names}
    kept.update(
        reused=True, out=out, problems=tuple(found["problems"]), notes=(*found["notes"], "it was complete already")
    )
    return ReplaySummary(**kept)


def open_model(options: ReplayOptions) -> Grounder:
    """Open the model for replays: on a CPU one thread for each network, for several frames are answered at once.

    Raises:
        RisError: the bundle or the runtime cannot be used.
    """
    config = options.config
    model = config.model
    if not model.num_threads and not sequential(options):
        model = model.with_values({"num_threads": 1})
    return Grounder.open(
        options.bundle, model=model, output=config.output, region=config.region,
        max_query_chars=config.query.max_query_chars,
    )  # fmt: skip


def jobs_of(bag: Bag, options: ReplayOptions) -> Iterator[FrameJob]:
    """Yield the frames that a replay would answer, for tools that answer them in their own way."""
    chosen = choose(bag, options.topics, commands=options.commands.recorded)
    return FrameReader(bag, chosen, options).jobs()
