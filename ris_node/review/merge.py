# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One table and one report of several replayed bags."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ris_node.atomic import replacing, write_atomic
from ris_node.outputs import check, claim, remove
from ris_node.replay.options import REPORT, RESULTS, SCORES, SUMMARY, VERB, ReplayOptions, read_summary
from ris_node.replay.rows import arrow, join, read_table
from ris_node.review.report import write_report

MERGED = (RESULTS, SUMMARY, SCORES, REPORT)  # files over several runs


def check_runs(bags: Sequence[Path], folders: Sequence[Path], out: Path, options: ReplayOptions) -> None:
    """Refuse, before anything is read, folders in which something is in the way of these replays.

    Raises:
        ConfigError: naming it; nothing was touched.
    """
    for bag, folder in zip(bags, folders, strict=True):
        check(folder, options.writes(), [bag], by=VERB)
    if len(bags) > 1:
        check(out, MERGED, bags, by=VERB)


def merge_runs(
    folders: Sequence[Path], out: Path, *, report: bool = True, bags: Sequence[Path] = (), lost: Sequence[str] = ()
) -> None:
    """Write `results.parquet`, `summary.json` and `report.html` over the runs in `folders` into `out`.

    Rows keep the order of `folders`; the column `bag` tells them apart. With `bags`, in the same order, the report has
    pictures. `lost` says of which bags nothing came, and why: then the whole is not complete.

    Raises:
        DataError: a folder holds no results, or of another version of this table.
    """
    claim(out, MERGED, by=VERB)
    for folder in folders:
        read_table(folder, ["frame"])
    join([folder / RESULTS for folder in folders], out / RESULTS)
    runs = [{**read_summary(folder), "out": folder.name} for folder in folders]
    whole = {
        "complete": not lost and all(run.get("complete", False) for run in runs),
        "frames": sum(int(run.get("frames", 0)) for run in runs),
        "problems": list(lost),
        "notes": [f"{run.get('bag')}: {note}" for run in runs for note in run.get("notes", ())],
        "runs": runs,
    }
    write_atomic(out / SUMMARY, json.dumps(whole, indent=1) + "\n")
    _join_scores(folders, out)
    if report:
        write_report(out, bags)


def _join_scores(folders: Sequence[Path], out: Path) -> None:
    """Join the runs' scores.parquet, where every run has one."""
    paths = [folder / SCORES for folder in folders]
    remove(out, SCORES, by=VERB)
    if all(path.is_file() for path in paths):
        pa = arrow()
        with replacing(out / SCORES) as target:
            pa.parquet.write_table(pa.concat_tables([pa.parquet.read_table(path) for path in paths]), target)
