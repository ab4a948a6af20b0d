# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fills the generated blocks of README.md and docs/ from the code's own tables and the measured files.

A block lies between `<!-- generated: NAME -->` and `<!-- end -->`. Needs no ROS and no network runtime.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import model_card  # noqa: E402

from ris_node import interface  # noqa: E402
from ris_node.bundle.manifest import Manifest  # noqa: E402
from ris_node.cli.verbs import VERBS  # noqa: E402
from ris_node.config import GROUPS, Spec  # noqa: E402
from ris_node.data.registry import FORMATS  # noqa: E402
from ris_node.replay.rows import COLUMNS  # noqa: E402
from ris_node.review.compare import PLAIN  # noqa: E402

MEASURED = ROOT / "docs" / "measured"
SCORES = (  # label, row and column of the evaluation
    ("mIoU, all that is present", "all", "miou"),
    ("... driving", "driving", "miou"),
    ("... everyday objects", "everyday", "miou"),
    ("... one of its class in view", "single", "miou"),
    ("... order (leftmost, nearest, largest)", "order", "miou"),
    ("... relation (next to, behind)", "relation", "miou"),
    ("... colour", "colour", "miou"),
    ("... stuff (road, sky)", "stuff", "miou"),
    ("found: present targets", "all", "found"),
    ("refused: absent classes", "absent", "refused"),
    ("refused: objects that never occur", "alien", "refused"),
    ("refused: near misses (wrong side, colour or relation)", "near_miss", "refused"),
    ("listens: different phrases, different masks", "all", "listens"),
    ("... where both have pixels", "all", "listens_strict"),
    ("pointing: goals inside the true region", "all", "pointing"),
    ("calibration error of presence", "all", "ece"),
)
HEADLINE = (
    "... driving",
    "found: present targets",
    "refused: absent classes",
    "pointing: goals inside the true region",
)
BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Write the blocks, or with --check say which files are out of date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 when a file is out of date")
    check = parser.parse_args().check
    stale = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if renew(path, check)]
    said = "out of date: run scripts/with_ros python scripts/make_docs.py" if check else "written"
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {said}")
    return 1 if check and stale else 0


def renew(path: Path, check: bool) -> bool:
    """Fill a file's blocks; returns whether that changed (or, with `check`, would change) it."""
    old = path.read_text(encoding="utf-8")
    new = BLOCK.sub(lambda match: f"{match[1]}{BLOCKS[match['name']]()}\n{match[4]}", old)
    if new != old and not check:
        path.write_text(new, encoding="utf-8")
    return new != old


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def topics() -> str:
    """Return the topics that the node subscribes to, and those that it publishes."""

    def rows(entries: Iterable[interface.Topic]) -> list[list[str]]:
        notes = {"": "", interface.IF_SUBSCRIBED: " *(S)*"}
        return [
            [f"`{t.name}`", f"`{t.type}`", t.qos.text, t.doc + notes.get(t.condition, f" *({t.condition})*")]
            for t in entries
        ]

    head = ("topic", "type", "QoS", "content")
    listens, publishes = (table(head, rows(entries)) for entries in (interface.SUBSCRIPTIONS, interface.PUBLISHERS))
    return f"Subscribed:\n\n{listens}\n\nPublished (S: computed only for subscribers):\n\n{publishes}"


def services() -> str:
    """Services and actions."""
    rows = [[f"`{e.name}`", f"`{e.type}`", e.doc] for e in interface.SERVICES]
    actions = [[f"`{e.name}` (action)", f"`{e.type}`", e.doc] for e in interface.ACTIONS]
    return table(("service", "type", "effect"), [*rows, *actions])


def parameters() -> str:
    """Every parameter, group by group."""
    parts = []
    for group in GROUPS:
        specs = group.specs()
        rows = [[f"`{s.name}`" + (" D" if s.dynamic else ""), default_text(s), s.doc, limits(s)] for s in specs]
        parts.append(f"**{specs[0].group}**\n\n" + table(("parameter", "default", "meaning", "limits"), rows))
    return "\n\n".join(parts)


def default_text(spec: Spec) -> str:
    """A default as one writes it in YAML."""
    return f"`{json.dumps(list(spec.default) if isinstance(spec.default, tuple) else spec.default)}`"


def limits(spec: Spec) -> str:
    """A parameter's limits or choices in words."""
    return ", ".join(f"`{choice}`" for choice in spec.choices) if spec.choices else spec.range_text


def messages() -> str:
    """Return the numbers of the messages that carry answers, as the definitions' comments explain them."""
    number = re.compile(r"^(?!string|std_msgs|Query)\S+ (?P<name>[a-z_]+) *# (?P<doc>.+)$", re.MULTILINE)
    rows = []
    for name in ("Grounding", "Instance", "RegionTarget", "Timing", "NodeStatus"):
        text = (ROOT / "msgs" / "msg" / f"{name}.msg").read_text(encoding="utf-8")
        unit = "ms; " if "milliseconds" in text else ""
        rows += [[f"`{name}.{found['name']}`", unit + found["doc"]] for found in number.finditer(text)]
    return table(("number", "meaning"), rows)


def columns() -> str:
    """Return the columns of results.parquet."""
    return table(("column", "type", "meaning"), [[f"`{name}`", kind, doc] for name, (kind, doc) in COLUMNS.items()])


def comparison() -> str:
    """Return the metrics of `ris compare` that need no truth."""
    return table(("metric", "meaning"), [[f"`{name}`", doc] for name, doc in PLAIN.items()])


def toy() -> str:
    """Return the code of the smallest system, which the tests train and export."""
    code = (ROOT / "tests/models/toy_system.py").read_text(encoding="utf-8")
    return f"```python\n{code[code.index('from __future__') :]}```"


def verbs() -> str:
    """The verbs of `ris`."""
    return table(("verb", "task"), [[f"`ris {verb.name}`", verb.summary] for verb in VERBS])


def datasets() -> str:
    """The data sets that can be read, and what their readers were held against."""
    rows = [
        [f"`{e.name}`", e.title, ", ".join(e.splits), f"**unverified**: {e.verified}" if e.unverified else e.verified]
        for e in FORMATS
    ]
    own = ["`jsonl`", "JSON lines of your own", "-", "every form of mask and of mistake, made by the tests"]
    return table(("name", "set", "splits", "reader tested with"), [*rows, own])


def models() -> str:
    """The packaged bundles: what they are, their size and their terms."""
    rows, notes = [], ""
    for path in sorted((ROOT / "engines").glob("*/manifest.json")):
        manifest = read_manifest(path)
        size = sum(entry.bytes for entry in manifest.files.values()) / 1e6
        rows.append(
            [f"`engines/{path.parent.name}`", manifest.model_id, f"{size:.1f} MB", manifest.description, manifest.use]
        )
        if manifest.provenance.get("note"):
            notes += f"\n\nHow `{path.parent.name}` was made: {manifest.provenance['note']}"
    return (
        table(("bundle", "model", "size", "description", "terms of use"), rows) + notes
        if rows
        else "No bundle is here yet."
    )


def terms() -> str:
    """The default bundle's terms of use."""
    return read_manifest(ROOT / "engines/default/manifest.json").use


def quality() -> str:
    """What `ris evaluate` found, as the bundles' manifests keep it, side by side."""
    found = {
        path.parent.name: read_manifest(path).quality for path in sorted((ROOT / "engines").glob("*/manifest.json"))
    }
    found = {name: measured for name, measured in found.items() if "rows" in measured}
    if not found:
        return "Not measured yet."
    rows = {name: {row["name"]: row for row in measured["rows"]} for name, measured in found.items()}
    lines = []
    for label, row, key in SCORES:
        values = [rows[name].get(row, {}).get(key) for name in found]
        if any(value is not None for value in values):
            lines.append([label, *("-" if value is None else f"{value:.3f}" for value in values)])
    parts = [table(("measured", *(f"`{name}`" for name in found)), lines)]
    for measured in found.values():
        if "evaluation" in measured:
            parts.append(evaluated_on(measured["evaluation"]))
    return "\n\n".join(dict.fromkeys(parts))


def evaluated_on(about: Mapping[str, Any]) -> str:
    """The evaluation set in one sentence or two."""
    note = f"Measured on {about['items']} expressions over {about['pictures']} kept-out pictures."
    centre, cover = about.get("pointing_road_centre"), about.get("mean_region_cover")
    if centre is not None and cover is not None:
        note += f" True regions cover {cover:.1%} of the picture; the middle of the road lies in {centre:.3f} of them."
    return note


def headline() -> str:
    """Return the README's figures: quality of the bundles, and the latency of the node."""
    lines = quality().splitlines()
    kept = [line.replace("...", "mIoU,") for line in lines if line.split(" | ")[0].strip("| ") in HEADLINE]
    found = json.loads((MEASURED / "bench.json").read_text(encoding="utf-8"))
    latency, about = found["node_paced"]["640x480"]["end_to_end"], found["machine"]
    note = (
        f"Image stamp to result at 640x480 on {about['device']}, {about['cores']} cores: {pair(latency)} ms, p50 (p99)."
    )
    return "\n".join([*lines[:2], *kept, "", note])


def speed() -> str:
    """The short form of what `ris bench --out docs/measured` found last, with the machine it ran on."""
    path = MEASURED / "bench.json"
    if not path.is_file():
        return "Not measured yet: `make bench`."
    found = json.loads(path.read_text(encoding="utf-8"))
    about, rows = found["machine"], []
    for size, bare in found["bare_network"].items():
        paced, full = found["node_paced"].get(size), found["node_at_60_hz"].get(size)
        node = [pair(paced["end_to_end"]), str(full["rate_hz"]), cores(full["cpu_cores"]),
                f"{max(paced['rss_mb'], full['rss_mb']):.0f}"] if paced and full else ["-"] * 4  # fmt: skip
        ratio = found["ratios"][size].get("node/network")
        rows.append(
            [size, pair(bare), pair(found["core"][size]["total"]), *node, "-" if ratio is None else f"{ratio:.2f}"]
        )
    head = ("frames", "bare network", "core", "node, stamp to result", "node at 60 Hz in: frames/s",
            "CPU of node + camera + client, cores",
            "its RSS, MB", "node / network")  # fmt: skip
    starts = ", ".join(f"{value:.1f}" for value in found["start_to_ready_s"]) or "not measured"
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    leg = found.get("float32")
    float32 = (
        f"In float32, in which at most 1.6 was asked, node / network is {leg['node/network']:.2f}. " if leg else ""
    )
    note = (
        f"Milliseconds, p50 (p99). `{about['model']}`, {about['vision_graph']['file']}, on {about['device']}, "
        f"{about['cores']} cores, scheduling {about.get('scheduling', 'normal')}; {versions}. "
        f"{float32}Start to READY: {starts} s. `make bench` measures it anew and explains the parts."
    )
    return "\n\n".join([table(head, rows), note, *compared(found), *shares(found)])


def cores(used: Mapping[str, float]) -> str:
    """Processor time of the three processes, in cores."""
    return " + ".join(f"{used.get(name, 0.0):.2f}" for name in ("node", "camera", "client"))


def compared(found: Mapping[str, Any]) -> list[str]:
    """Network against network, where the bench had others to compare with."""
    networks, keys = found.get("networks") or [], ("p50_ms", "best_ms", "times_clipseg", "floor_ms")
    rows = [
        [one["network"], one["input"], *(number(one[key]) for key in keys)] for one in networks if "failed" not in one
    ]
    missing = [f"{one['network']}: {one['failed'][:160]}." for one in networks if "failed" in one]
    head = ("network", "its input", "ms, p50", "ms, best", "CLIPSeg's rate times", "ms at the machine's best")
    note = "Network against network in one run, in turn: one runtime, the same threads, text encoded before. " + (
        "The others have random weights, which cost the same. The last column is multiplications over this machine's "
        "best rate in that precision plus the file's bytes over its memory bandwidth. "
    )
    return [f"{note}{' '.join(missing)}\n\n{table(head, rows)}"] if rows else []


def shares(found: Mapping[str, Any]) -> list[str]:
    """Where the time from stamp to result goes, for each size."""
    out = []
    for size, parts in (found.get("where_time_goes") or {}).items():
        rows = [[part["part"], *(number(part[key]) for key in ("ms", "share", "floor_ms"))] for part in parts]
        if rows:
            head = ("part", "ms", "share", "ms at best")
            out.append(f"Where the time goes at {size}, from stamp to result:\n\n{table(head, rows)}")
    return out


def number(value: float | None) -> str:
    """Two decimals; a dash for what was not measured."""
    return "-" if value is None else f"{value:.2f}"


def pair(series: dict[str, float]) -> str:
    """The median of a series and its 99th percentile."""
    return f"{series['p50_ms']:.1f} ({series['p99_ms']:.1f})"


def read_manifest(path: Path) -> Manifest:
    """A bundle's manifest."""
    return Manifest.from_json(path.read_text(encoding="utf-8"), str(path))


BLOCKS: dict[str, Callable[[], str]] = {
    "topics": topics,
    "services": services,
    "parameters": parameters,
    "verbs": verbs,
    "messages": messages,
    "columns": columns,
    "toy": toy,
    "comparison": comparison,
    "models": models,
    "datasets": datasets,
    "quality": quality,
    "headline": headline,
    "speed": speed,
    "terms": terms,
    **model_card.BLOCKS,
}


if __name__ == "__main__":
    sys.exit(main())
