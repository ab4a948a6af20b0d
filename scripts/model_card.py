# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The generated blocks of docs/model_card.md: every figure is of docs/measured/evaluation.json (`ris evaluate`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

REPORT = Path(__file__).resolve().parent.parent / "docs" / "measured" / "evaluation.json"
DEFAULT = "default"
MISSING = "Not measured yet: `make evaluate`."
KINDS = (
    ("one of its class in view", "single"),
    ("all of a class", "class"),
    ("order (leftmost, nearest, largest)", "order"),
    ("relation (next to, behind)", "relation"),
    ("colour", "colour"),
    ("stuff (road, sky)", "stuff"),
    ("small targets (< 1 %)", "small (< 1 %)"),
    ("medium targets", "medium"),
    ("large targets (> 6 %)", "large (> 6 %)"),
    ("two or more of the class in view", "two or more in view"),
)
SCOPES = (
    ("driving", "driving"),
    ("... objects", "driving: objects"),
    ("... stuff", "driving: stuff"),
    ("... CamVid", "camvid/val"),
    ("... streets", "streets/val"),
    ("everyday (COCO)", "everyday"),
    ("... objects", "everyday: objects"),
    ("... stuff", "everyday: stuff"),
)
MASKS = (("mIoU", "miou"), ("oIoU", "oiou"), ("P@0.5", "p50"), ("rIoU", "riou"), ("found", "found"),
         ("refused", "refused"))  # fmt: skip
LISTENING = (
    ("listens: other words, other mask", "listens"),
    ("... where both answers have pixels", "listens_strict"),
    ("told apart within one class", "apart"),
    ("... where both answers have pixels", "apart_strict"),
)
REGIONS = (
    ("pointing: goals in the true region", "pointing"),
    ("inside: share of the answered region in the true one", "inside"),
    ("mean IoU of regions", "region_miou"),
    ("Pointing Game (highest pixel of the map)", "recall_1"),
    ("recall at 100 pixels", "recall_100"),
    ("recall at 1000 pixels", "recall_1000"),
)
PUBLISHED = (
    ("gIoU (GRES)", "giou_gres"),
    ("cIoU (GRES)", "ciou_gres"),
    ("N-acc", "n_acc"),
    ("T-acc", "t_acc"),
    ("gIoU (LISA)", "giou_lisa"),
    ("cIoU (LISA)", "ciou_lisa"),
    ("mRR (R-RIS, a ref is a picture)", "mrr"),
    ("rIoU (R-RIS)", "ref_riou"),
)
Report = Mapping[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *rows))


def reach(report: Report) -> str:
    """What is asked of the default model, what was measured, and whether it was reached."""
    goals = report["bundles"][DEFAULT].get("goals", [])
    rows = []
    for g in goals:
        value = "not measured" if g["value"] is None else f"{g['value']:.3f}"
        span = f"{g['interval'][0]:.3f} to {g['interval'][1]:.3f}" if g["interval"] else ""
        state = "yes" if g["reached"] else "**no**" + (", below the floor" if g["below_floor"] else "")
        rows.append([g["name"], g["asked"], value, span, state])
    return table(("asked of `default`", "at", "measured", "95 % interval", "reached"), rows)


def setting(report: Report) -> str:
    """What was measured on, in sentences."""
    sets = ", ".join(f"{own['pictures']} of {name}" for name, own in report["sets"].items())
    boot, about = report["bootstrap"], report["bundles"][DEFAULT]["about"]
    text = (
        f"`{about['model']}` ({about['backend']}, {about['bytes'] / 1e6:.1f} MB), {report['items']} expressions over "
        f"{report['pictures']} kept-out pictures ({sets}). Intervals are of {boot['draws']} draws of pictures."
    )
    if report["mean_region_cover"] is not None:
        text += (
            f" The {report['regions']} true regions cover {report['mean_region_cover']:.1%} of the picture on average; "
            f"the middle of the labelled road lies in {report['pointing_road_centre']:.3f} of them."
        )
    return text


def scopes(report: Report) -> str:
    """The default model by set, objects and stuff apart."""
    rows = []
    for label, name in SCOPES:
        row = row_of(report, DEFAULT, name)
        if row:
            rows.append([label, str(row["present"]), str(row["absent"]), *(number(row.get(m)) for _, m in MASKS)])
    return table(("", "present", "absent", *(label for label, _ in MASKS)), rows)


def kinds(report: Report) -> str:
    """MIoU by kind and size, the systems side by side."""
    return compared(report, [(label, row, "miou") for label, row in KINDS])


def refusals(report: Report) -> str:
    """What is found and what refused, the systems side by side."""
    return compared(report, [
        ("found: present targets", "all", "found"),
        ("refused: absent classes", "absent", "refused"),
        ("refused: what never is", "alien", "refused"),
        ("refused: near-misses", "near_miss", "refused"),
        ("area under the ROC of presence", "all", "auc"),
        ("calibration error of presence (ECE)", "all", "ece"),
    ])  # fmt: skip


def listening(report: Report) -> str:
    """Whether other words give another answer."""
    return compared(report, [(label, "all", metric) for label, metric in LISTENING])


def regions(report: Report) -> str:
    """Where to go."""
    return compared(report, [(label, "all", metric) for label, metric in REGIONS])


def published(report: Report) -> str:
    """The conventions of other benchmarks, on this project's set."""
    return compared(report, [(label, "all", metric) for label, metric in PUBLISHED])


def gains(report: Report) -> str:
    """MIoU over the baselines, paired, with intervals."""
    against = report["bundles"][DEFAULT]["against"]
    rows = []
    for label, row in (("all", "all"), ("driving", "driving"), ("everyday", "everyday"), *KINDS):
        found = [against[other].get(row, {}).get("miou") for other in against]
        if any(found):
            rows.append([label, *(difference(value) for value in found)])
    return table(("mIoU over", *(f"`{other}`" for other in against)), rows) if rows else "No baseline was measured."


def compared(report: Report, lines: Sequence[tuple[str, str, str]]) -> str:
    """Rows and metrics as a table with a column for each system, the default model's with its interval."""
    names = [DEFAULT, *(name for name in report["bundles"] if name != DEFAULT)]
    rows = []
    for label, row, metric in lines:
        values = [(row_of(report, name, row) or {}).get(metric) for name in names]
        span = report["bundles"][DEFAULT]["intervals"].get(row, {}).get(metric)
        if any(value is not None for value in values):
            shown = f" ({span[0]:.3f} to {span[1]:.3f})" if span else ""
            rows.append([label, number(values[0]) + shown, *(number(value) for value in values[1:])])
    return table(("", *(f"`{name}`" for name in names)), rows)


def row_of(report: Report, system: str, name: str) -> Mapping[str, Any] | None:
    """A row of a system's table."""
    return next((row for row in report["bundles"][system]["rows"] if row["name"] == name), None)


def number(value: float | None) -> str:
    """A figure with three digits."""
    return "-" if value is None else f"{value:.3f}"


def difference(value: Sequence[Any] | None) -> str:
    """A difference with its interval."""
    if value is None:
        return "-"
    return f"{value[0]:+.3f}" + ("" if value[1] is None else f" ({value[1]:+.3f} to {value[2]:+.3f})")


def block(make: Callable[[Report], str]) -> Callable[[], str]:
    """A block of make_docs from a function of the report."""

    def made() -> str:
        if not REPORT.is_file():
            return MISSING
        report = json.loads(REPORT.read_text(encoding="utf-8"))
        return make(report) if DEFAULT in report["bundles"] else MISSING

    return made


BLOCKS = {
    f"card-{make.__name__}": block(make)
    for make in (reach, setting, scopes, kinds, gains, refusals, listening, regions, published)
}
