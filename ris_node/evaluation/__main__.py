# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m ris_node.evaluation`: measure bundles on the evaluation set, side by side, with the goals at the end."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.config import ModelConfig
from ris_node.data.evalset import EvalItem, build, listening_pairs, read_manifest, write_manifest
from ris_node.data.readers import shared_dir
from ris_node.errors import RisError
from ris_node.evaluation.answers import Scored, answer_all, road_centre_hits
from ris_node.evaluation.table import Row, format_goals, format_table, goals, make_table
from ris_node.pipeline.grounder import Grounder

BASELINE = "keyword-baseline"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 unless something could not be measured."""
    options = _parser().parse_args(arguments)
    try:
        root = shared_dir()
        items = read_manifest(options.manifest) if options.manifest else build(root)
        if options.write_manifest:
            write_manifest(options.write_manifest, items)
        items = every_nth_picture(items, options.every)
        return _measure(options, items, root)
    except (RisError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def every_nth_picture(items: list[EvalItem], step: int) -> list[EvalItem]:
    """The items of every n-th picture, for a quick look."""
    kept = set(list(dict.fromkeys(i.group for i in items))[::step])
    return [i for i in items if i.group in kept]


def _measure(options: argparse.Namespace, items: list[EvalItem], root: Path) -> int:
    pairs = list(listening_pairs(items))
    covers = [float(t.mean()) for i in items if (t := i.region_truth()) is not None]
    hits = road_centre_hits(items)
    report: dict[str, Any] = {
        "items": len(items),
        "pictures": len({i.group for i in items}),
        "manifest_sha256": _digest(items),
        "mean_region_cover": float(np.mean(covers)) if covers else None,
        "pointing_road_centre": float(np.mean(hits)) if hits else None,
        "listening_pairs": len(pairs),
        "bundles": {},
    }
    tables: dict[str, list[Row]] = {}
    for folder in options.bundles:
        answers = _answers(folder, items, root, options)
        rows = make_table(answers, pairs)
        tables[folder.name] = rows
        times = [a.milliseconds for a in answers]
        print(f"\n{folder} ({len(answers)} items, {np.median(times):.0f} ms each at the median)\n{format_table(rows)}")
        report["bundles"][folder.name] = {"rows": [asdict(r) for r in rows], "median_ms": float(np.median(times))}
        if options.answers:
            _write_answers(options.answers / f"{folder.name}.jsonl", answers)
    print(f"\ntrue regions cover {report['mean_region_cover'] or 0:.1%} of the picture on average; "
          f"the middle of the road lies in {report['pointing_road_centre'] or 0:.3f} of them")  # fmt: skip
    for name, rows in tables.items():
        if name != BASELINE and BASELINE in tables:
            found = goals(rows, tables[BASELINE])
            print(f"\n{name} against {BASELINE}\n{format_goals(found)}")
            report["bundles"][name]["goals"] = [{**asdict(g), "reached": g.reached} for g in found]
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(_plain(report), indent=1) + "\n", encoding="utf-8")
    return 0


def _answers(folder: Path, items: list[EvalItem], root: Path, options: argparse.Namespace) -> list[Scored]:
    def bar(what: Iterable[EvalItem]) -> Iterable[EvalItem]:
        from tqdm import tqdm

        bar: Iterable[EvalItem] = tqdm(what, desc=folder.name, disable=options.quiet, total=len(items), mininterval=1.0)
        return bar

    with Grounder.open(folder, model=ModelConfig(num_threads=options.threads, precision=options.precision)) as grounder:
        return list(answer_all(grounder, items, root, bar))


def _write_answers(path: Path, answers: list[Scored]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for a in answers:
            iou = a.intersection / a.union if a.union else None
            line = {"id": a.item.id, "text": a.item.text, "kind": a.item.kind, "type": a.item.type,
                    "status": a.status.name, "presence": round(a.presence, 4), "area": a.area, "iou": iou,
                    "hit": a.hit}  # fmt: skip
            file.write(json.dumps(line) + "\n")


def _digest(items: list[EvalItem]) -> str:
    digest = hashlib.sha256()
    for item in items:
        digest.update(json.dumps(asdict(item), sort_keys=True).encode())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """NaN is no JSON: null instead."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m ris_node.evaluation", description=__doc__)
    parser.add_argument("--bundles", nargs="+", type=Path, required=True, help="model folders, e.g. engines/default")
    parser.add_argument("--out", type=Path, help="write the numbers as JSON here")
    parser.add_argument("--manifest", type=Path, help="use this manifest instead of building the set from ../shared")
    parser.add_argument("--write-manifest", type=Path, help="write the set that was measured on as JSON lines")
    parser.add_argument("--answers", type=Path, help="folder for one JSONL of answers per bundle")
    parser.add_argument("--every", type=int, default=1, help="use every n-th picture only (a quick look)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: one a core")
    parser.add_argument("--precision", default="auto", help="as the node's parameter")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


if __name__ == "__main__":
    sys.exit(main())
