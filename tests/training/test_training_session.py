# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from tiny_models import HEIGHT, WIDTH, shapes  # noqa: E402
from tiny_training import WordCodes, batches, config, make_trainer  # noqa: E402

from ris_node.errors import TrainingError  # noqa: E402
from ris_node.models.base import System  # noqa: E402
from ris_node.training import session  # noqa: E402
from ris_node.training.check import answers  # noqa: E402
from ris_node.training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from ris_node.training.grid import draw_grid, pick  # noqa: E402
from ris_node.training.inputs.batches import Batches  # noqa: E402
from ris_node.training.interrupt import RunStoppedError  # noqa: E402
from ris_node.training.log import Log  # noqa: E402
from ris_node.training.loop import train  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def words(monkeypatch):
    monkeypatch.setattr(System, "text_reader", lambda *a, **k: WordCodes())
    monkeypatch.setattr(session, "_LOG_EVERY", 3)


def lines(folder: Path, event: str) -> list[dict]:
    told = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "s"} for line in told if line["event"] == event]


def test_run_resumed_from_any_checkpoint_tells_the_same_curve(tmp_path, monkeypatch):
    c = config({"check_steps": 4}, steps=9)
    kept = []
    save = session.save_checkpoint

    def keep_all(path, content):
        save(path, content)
        kept.append(tmp_path / f"{content['step']}-{path.name}")
        kept[-1].write_bytes(path.read_bytes())

    with monkeypatch.context() as patch:
        patch.setattr(session, "save_checkpoint", keep_all)
        train(make_trainer(c), batches(c), [shapes(5)], tmp_path / "whole")
    assert {4, 9} <= {load_checkpoint(path)["step"] for path in kept}
    assert [line["step"] for line in lines(tmp_path / "whole", "step")] == [3, 6, 9]
    for number, checkpoint in enumerate(sorted(set(kept))):
        again = tmp_path / f"again-{number}"
        again.mkdir()
        (again / "log.jsonl").write_bytes((tmp_path / "whole/log.jsonl").read_bytes() + b'{"event": "st')
        trainer = make_trainer(c)
        trainer.restore(load_checkpoint(checkpoint))
        train(trainer, batches(c), [shapes(5)], again)
        assert lines(again, "step") == lines(tmp_path / "whole", "step"), checkpoint
        assert lines(again, "check") == lines(tmp_path / "whole", "check"), checkpoint


def test_ctrl_c_finishes_the_step_and_saves_it(tmp_path):
    c = config(steps=8)

    class Interrupted(Batches):
        def at(self, step):
            if step == 3:  # drawn while step 2 is learnt
                os.kill(os.getpid(), signal.SIGINT)
            return super().at(step)

    data = batches(c)
    spoilt = batches(c, kind=Interrupted)
    with pytest.raises(RunStoppedError, match=r"step \d of 8.*last\.pt"):
        train(make_trainer(c), spoilt, [shapes(5)], tmp_path)
    saved = load_checkpoint(tmp_path / "last.pt")
    assert saved["step"] in (3, 4, 5) and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    again = make_trainer(c)
    again.restore(saved)
    train(again, data, [shapes(5)], tmp_path)
    assert [line["step"] for line in lines(tmp_path, "step")] == [3, 6] and again.step == 8


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(tmp_path):
    c = config(steps=6)
    trainer = make_trainer(c)
    train(make_trainer(config(steps=2)), batches(c), [], tmp_path)
    torch.nn.init.constant_(trainer.model.memory, float("nan"))
    with pytest.raises(TrainingError, match=r"loss of step 0 is not a finite number .*bce.*--resume"):
        train(trainer, batches(c), [], tmp_path)
    assert load_checkpoint(tmp_path / "last.pt")["step"] == 2


def _content(number: int) -> dict:
    return {"step": number, "weights": torch.full((500_000,), float(number))}


def _save_for_ever(path: Path) -> None:
    for number in itertools.count(1):
        save_checkpoint(path, _content(number))


def _save_and_die(path: Path, when: str) -> None:
    """Save checkpoint 1, and be killed when half of it is written, before it is flushed, or when it is renamed."""

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    save, rename = torch.save, Path.replace
    if when == "half":
        torch.save = lambda content, file: (save(content, file), os.truncate(file, file.stat().st_size // 2), die())
    elif when == "flush":
        os.fsync = die
    else:
        Path.replace = lambda self, target: (rename(self, target), die())
    save_checkpoint(path, _content(1))


def _whole(path: Path) -> int:
    content = load_checkpoint(path)
    assert (content["weights"] == content["step"]).all() and len(content["weights"]) == 500_000
    return content["step"]


@pytest.mark.parametrize(("when", "left"), [("half", 0), ("flush", 0), ("renamed", 1)])
def test_killed_at_a_point_of_saving_the_checkpoint_is_the_old_or_the_new_one(tmp_path, when, left):
    path = tmp_path / "last.pt"
    save_checkpoint(path, _content(0))
    process = multiprocessing.get_context("fork").Process(target=_save_and_die, args=(path, when))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL and _whole(path) == left


def test_killed_at_any_time_the_checkpoint_is_whole(tmp_path):
    path = tmp_path / "last.pt"
    save_checkpoint(path, _content(0))
    for wait in np.linspace(0.0, 0.03, 10):
        process = multiprocessing.get_context("fork").Process(target=_save_for_ever, args=(path,))
        process.start()
        beside, limit = tmp_path / f".{process.pid}.part.last.pt", time.monotonic() + 60
        while not beside.exists() and time.monotonic() < limit:
            time.sleep(0.0005)
        time.sleep(float(wait))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert _whole(path) >= 0


def test_stops_early_when_no_check_is_better(tmp_path, monkeypatch):
    scores = iter([0.1, 0.5, 0.4, 0.5, 0.3, 0.9])
    monkeypatch.setattr(session, "_score", lambda values: next(scores))
    trainer = make_trainer(config({"check_steps": 2, "patience": 3}, steps=60))
    train(trainer, batches(trainer.config), [shapes(5)], tmp_path)
    assert trainer.step == 11  # the checks after steps 6, 8 and 10 were not better than that after step 4
    assert [line["step"] for line in lines(tmp_path, "check")] == [2, 4, 6, 8, 10]
    assert load_checkpoint(tmp_path / "last.pt")["step"] == 11


def test_each_check_leaves_a_grid_and_curves(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    trainer = make_trainer(config({"check_steps": 3, "grid": 5}, steps=6))
    train(trainer, batches(trainer.config), [shapes(5), shapes(6)], tmp_path)
    assert [p.name for p in sorted((tmp_path / "grids").iterdir())] == ["0000003.png", "0000006.png"]
    picture = cv2.imread(str(tmp_path / "grids/0000006.png"))
    assert picture.shape[1] == 4 * (WIDTH + 4) and picture.shape[0] > 2 * HEIGHT
    seen = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    told, curve = lines(tmp_path, "step"), seen.Scalars("step/loss")
    assert [(e.step, pytest.approx(e.value)) for e in curve] == [(line["step"], line["loss"]) for line in told]
    assert [event.step for event in seen.Images("answers")] == [3, 6]


def test_runs_without_tensorboard(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    told = Log(tmp_path)
    told.write("step", {"step": 1, "loss": 0.5})
    assert told.grid(np.zeros((8, 8, 3), np.uint8), 1).is_file()
    told.close()
    assert "pip install tensorboard" in capsys.readouterr().out and not (tmp_path / "tensorboard").exists()


def test_grid_shows_truth_and_answer():
    trainer = make_trainer(config())
    pictures = [shapes(0), shapes(1)]
    records = answers(trainer.averaged(), pictures, WordCodes(), 6, bf16=False)
    chosen = pick(records, 6)
    assert len({(r.picture, r.text) for r in chosen}) == 6 and {r.picture for r in chosen} == {0, 1}
    assert {r.kind for r in chosen} >= {"colour", "order", "absent", "region"} and pick(records, 6) == chosen
    truth = np.zeros((HEIGHT // 4, WIDTH // 4), bool)
    truth[2:6, 2:6] = True
    changes = {"kind": "colour", "present": True, "true_region": None, "picture": 0}
    one = replace(chosen[0], **changes, true_mask=truth, mask=truth.astype(np.float32))
    body = draw_grid([one], pictures)[-HEIGHT - 2 : -2, 2:-2]
    assert (body[8, 8:24] == 255).all() and (body[16, 16] != pictures[0].image[16, 16]).any()
    assert (body[40, 70] == pictures[0].image[40, 70]).all()


def test_log_forgets_what_comes_after_the_checkpoint(tmp_path):
    log = Log(tmp_path)
    for step in (20, 40, 60):
        log.write("step", {"step": step, "s": 1.0, "loss": 0.1})
    Log(tmp_path, step=45, steps=100).close()
    assert [line["step"] for line in lines(tmp_path, "step")] == [20, 40]
