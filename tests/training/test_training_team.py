# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
accelerate = pytest.importorskip("accelerate")
sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from tiny_training import WordCodes, batches, config, make_trainer  # noqa: E402

from ris_node.training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from ris_node.training.team import join_on_cpu, leave  # noqa: E402

pytestmark = pytest.mark.torch
STEPS, MIDDLE = 6, 3


@dataclass(frozen=True)
class Run:
    """One of the runs that a pair of processes makes in turn."""

    name: str
    resume: bool = False
    stop_at: int = -1
    spoil_at: int = -1


FIRST = (Run("whole"), Run("stopped", stop_at=2), Run("spoilt", spoil_at=2))
SECOND = (Run("resumed", resume=True),)  # in fresh processes


def member(number: int, out: Path, runs: Sequence[Run]) -> None:
    """Be one of two processes: make the runs, write what each gave."""
    torch.set_num_threads(1)
    team = join_on_cpu(number, 2, out / f"meeting-{runs[0].name}", 1)
    for run in runs:
        (out / f"{number}-{run.name}.json").write_text(json.dumps(learn(number, out, team, run)))
        team.wait_for_everyone()
    leave()


def learn(number: int, out: Path, team: accelerate.Accelerator, run: Run) -> dict:
    """Learn, save in the middle of the whole run; return the curve and the weights' sums."""
    c = config(steps=STEPS)
    trainer = make_trainer(c, team)
    if run.resume:
        trainer.restore(load_checkpoint(out / "middle.pt"))
    data = batches(c, 4, (number, 2))
    curve, error = [], ""
    try:
        for step in range(trainer.step, STEPS):
            if step == run.spoil_at and number == 1:
                torch.nn.init.constant_(trainer.model.memory, float("nan"))
            curve.append(trainer.learn(data.at(step), WordCodes(), number == 1 and step == run.stop_at))
            if run.name == "whole" and trainer.step == MIDDLE and number == 0:
                save_checkpoint(out / "middle.pt", trainer.state())
            if trainer.stopping:
                break
    except Exception as e:
        error = str(e)
    weights = [float(v.double().sum()) for v in trainer.state()["model"].values()]
    return {"curve": curve, "weights": weights, "step": trainer.step, "error": error}


def two(out: Path, runs: Sequence[Run]) -> dict[str, list[dict]]:
    """Start two members; return what both wrote of each run."""
    spawn = multiprocessing.get_context("spawn")
    team = [spawn.Process(target=member, args=(n, out, runs)) for n in (0, 1)]
    for process in team:
        process.start()
    for process in team:
        process.join(400)
        assert process.exitcode == 0
    return {run.name: [json.loads((out / f"{n}-{run.name}.json").read_text()) for n in (0, 1)] for run in runs}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What the runs gave, by name: starting a process with torch takes longer than any of them."""
    out = tmp_path_factory.mktemp("team")
    return two(out, FIRST) | two(out, SECOND)


def test_two_processes_learn_as_one_with_both_shares_and_resume_the_same(ran):
    first, second = ran["whole"]
    assert first == second  # the same averaged losses, and the same weights
    again = ran["resumed"]
    assert again[0] == again[1]
    assert again[0]["curve"] == first["curve"][MIDDLE:] and again[0]["weights"] == first["weights"]
    c = config(steps=STEPS)
    halves = [batches(c, 4, (n, 2)).at(0) for n in (0, 1)]
    alone = [make_trainer(c).learn(half, WordCodes())["loss"] for half in halves]
    assert sum(alone) / 2 == pytest.approx(first["curve"][0]["loss"], rel=1e-5)


def test_all_stop_at_the_same_step_and_a_bad_share_ends_all(ran):
    assert [s["step"] for s in ran["stopped"]] == [3, 3] and not ran["stopped"][0]["error"]
    spoilt = ran["spoilt"]
    assert [s["step"] for s in spoilt] == [2, 2]
    assert all("step 2 is not a finite number" in s["error"] and "--resume" in s["error"] for s in spoilt)
