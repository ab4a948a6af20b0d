# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris bench`: latency, throughput, processor time and memory, from the bare network to the node over DDS."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ris_node.bench.goals import goals
from ris_node.bench.live import ros_missing
from ris_node.bench.measure import BenchPlan, measure
from ris_node.bench.report import machine, to_json, to_markdown
from ris_node.bench.soak import soak
from ris_node.config import ModelConfig
from ris_node.outputs import claim

EPILOG = """examples:
  ris bench                            all parts, both sizes, about four minutes; writes bench/bench.md and .json
  ris bench --no-node                  network and core only; needs no ROS
  ris bench --sizes 640x480            with the networks that `make bench` exported beside ours
  ris bench --model engines/keyword-baseline --threads 1
  ris bench --soak 600                 ten minutes at 60 Hz, then the lifecycle: memory must not grow, counters add up

Where INT8 runs, the node is started once more in float32 at 640x480: the goal of at most 1.6 times the bare network was
set in that precision and is judged in it; the ratio in INT8 stands beside it for information.

Where a GPU runs the network (onnxruntime-gpu), a table sets float32, one CUDA graph and half precision side by side;
elsewhere one line says why there is none.

Close other programs first: on a busy machine the latencies are those of the machine. Ratios suffer less, because every
part has its turn in every round.

exit codes: 0 done; 1 a goal was missed, the soak found a fault, or the node is missing
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris bench`."""
    parser.epilog = EPILOG
    parser.add_argument("--model", default="", metavar="DIR", help="model bundle (default: the packaged one)")
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "int8"), help="of the vision graph")
    parser.add_argument("--threads", type=int, default=0, help="threads of the network; 0: one a core")
    parser.add_argument("--command", default="stop next to the red car on the left", help="what is asked for")
    parser.add_argument("--sizes", nargs="+", default=["640x480", "1920x1080"], metavar="WxH", help="of the pictures")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in which every part has its turn")
    parser.add_argument("--passes", type=int, default=30, help="frames of each part a round")
    parser.add_argument("--starts", type=int, default=3, help="node starts to time")
    parser.add_argument("--no-node", action="store_true", help="leave the node over DDS out")
    parser.add_argument("--no-networks", action="store_true", help="leave network against network out")
    parser.add_argument(
        "--rivals", type=Path, default=Path("bench/rivals"), metavar="DIR",
        help="other networks as ONNX, made by `python -m ris_node.export.rivals DIR` (default: bench/rivals)",
    )  # fmt: skip
    parser.add_argument("--soak", type=float, default=0.0, metavar="SECONDS", help="only the soak, for so long")
    parser.add_argument("--out", type=Path, default=Path("bench"), help="folder for the results (default: bench)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Run the bench or the soak; returns the exit code.

    Raises:
        RisError: a bundle, a runtime or a process of the bench does not work.
        OSError: the results cannot be written.
    """
    config = ModelConfig(model_dir=args.model, precision=args.precision, num_threads=args.threads)
    missing = "" if args.no_node else ros_missing()
    claim(args.out, ["soak.json"] if args.soak > 0.0 else ["bench.md", "bench.json"], by="ris bench")
    if args.soak > 0.0:
        return _soak(args, config, missing)
    if missing:
        _say(f"the node is left out: {missing}")
    plan = BenchPlan(
        config=config,
        text=args.command,
        sizes=tuple(args.sizes),
        rounds=max(1, args.rounds),
        passes=max(2, args.passes),
        starts=max(1, args.starts),
        with_node=not (args.no_node or missing),
        rivals=None if args.no_networks else args.rivals,
    )
    about = machine(plan, "")
    outcome = measure(plan, _say)
    about["device"] = outcome.device
    report, found = to_markdown(outcome, about), to_json(outcome, about)
    _write(args.out / "bench.md", report)
    _write(args.out / "bench.json", json.dumps(found, indent=1) + "\n")
    print(json.dumps(found) if args.json else report)
    _say(f"written: {args.out / 'bench.md'}, {args.out / 'bench.json'}")
    return 1 if missing or any(goal.reached is False for goal in goals(outcome)) else 0


def _soak(args: argparse.Namespace, config: ModelConfig, missing: str) -> int:
    if missing:
        _say(f"the soak needs the node: {missing}")
        return 1
    outcome = soak(config, args.soak, _say)
    found = outcome.to_json()
    _write(args.out / "soak.json", json.dumps(found, indent=1) + "\n")
    if args.json:
        print(json.dumps(found))
    else:
        kept = f"{found['counters']}, {outcome.published} published, {outcome.results} results"
        print(f"{outcome.seconds:g} s at 60 Hz: memory {outcome.growth_mb:+.1f} MB; {kept}")
    for fault in outcome.faults[:20]:
        _say(f"fault: {fault}")
    return 1 if outcome.faults else 0


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
