# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import multiprocessing
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from tiny_models import graph, shapes  # noqa: E402
from tiny_training import WordCodes, config  # noqa: E402

from ris_node.training.batches import Batches  # noqa: E402
from ris_node.training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from ris_node.training.loop import Trainer  # noqa: E402
from ris_node.training.team import join_on_cpu, leave  # noqa: E402

pytestmark = pytest.mark.torch
STEPS, MIDDLE = 6, 3


def member(number: int, out: Path, resume: bool, stop_at: int, spoil_at: int) -> None:
    """One of two processes: learn, save in the middle, write the curve and the weights' sum."""
    torch.set_num_threads(1)
    team = join_on_cpu(number, 2, out / f"meeting-{resume}", 1)
    c = config(steps=STEPS)
    trainer = Trainer(c, graph(), team)
    if resume:
        trainer.restore(load_checkpoint(out / "middle.pt"))
    pools = [[shapes(seed)] for seed in range(4)]
    batches = Batches(pools, [1.0] * 4, 2, 6, dict(c.data.kinds), c.seed, (number, 2))
    curve, error = [], ""
    try:
        for step in range(trainer.step, STEPS):
            if step == spoil_at and number == 1:
                torch.nn.init.constant_(trainer.model.memory, float("nan"))
            curve.append(trainer.learn(batches.at(step), WordCodes(), number == 1 and step == stop_at))
            if not resume and trainer.step == MIDDLE and number == 0:
                save_checkpoint(out / "middle.pt", trainer.state())
            if trainer.stopping:
                break
    except Exception as e:
        error = str(e)
    weights = [float(v.double().sum()) for v in trainer.state()["model"].values()]
    said = {"curve": curve, "weights": weights, "step": trainer.step, "error": error}
    (out / f"{number}-{resume}.json").write_text(json.dumps(said))
    leave()


def two(out: Path, resume: bool = False, stop_at: int = -1, spoil_at: int = -1) -> list[dict]:
    """Run two members; return what they wrote."""
    spawn = multiprocessing.get_context("spawn")
    team = [spawn.Process(target=member, args=(n, out, resume, stop_at, spoil_at)) for n in (0, 1)]
    for process in team:
        process.start()
    for process in team:
        process.join(400)
        assert process.exitcode == 0
    return [json.loads((out / f"{n}-{resume}.json").read_text()) for n in (0, 1)]


def test_two_processes_learn_as_one_with_both_shares_and_resume_the_same(tmp_path):
    first, second = two(tmp_path)
    assert first == second  # the same averaged losses, and the same weights
    again = two(tmp_path, resume=True)
    assert again[0] == again[1]
    assert again[0]["curve"] == first["curve"][MIDDLE:] and again[0]["weights"] == first["weights"]
    c = config(steps=STEPS)
    pools = [[shapes(seed)] for seed in range(4)]
    halves = [Batches(pools, [1.0] * 4, 2, 6, dict(c.data.kinds), c.seed, (n, 2)).at(0) for n in (0, 1)]
    alone = [Trainer(c, graph()).learn(half, WordCodes())["loss"] for half in halves]
    assert sum(alone) / 2 == pytest.approx(first["curve"][0]["loss"], rel=1e-5)


def test_all_stop_at_the_same_step_and_a_bad_share_ends_all(tmp_path):
    stopped = two(tmp_path, stop_at=2)
    assert [s["step"] for s in stopped] == [3, 3] and not stopped[0]["error"]
    spoilt = two(tmp_path, spoil_at=2)
    assert [s["step"] for s in spoilt] == [2, 2]
    assert all("step 2 is not a finite number" in s["error"] and "--resume" in s["error"] for s in spoilt)
