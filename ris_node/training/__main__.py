# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m ris_node.training CONFIG --out RUN`: draw the pools, train, leave checkpoints and a log."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from torch import distributed

from ris_node.data.readers import shared_dir
from ris_node.errors import RisError, TrainingError
from ris_node.models.registry import model_config
from ris_node.training.batches import Batches
from ris_node.training.config import TrainConfig, load_config
from ris_node.training.items import Drawn
from ris_node.training.loop import start, train
from ris_node.training.pools import load_pool, plan, prepare


def load_data(config: TrainConfig, cache: Path, workers: int) -> tuple[list[list[Drawn]], list[float], list[Drawn]]:
    """Draw what is missing; return the pools to train on, their weights, and the pictures of the running check."""
    size = model_config(config.model, config.settings)
    jobs, held = plan(config.data, size.height, size.width, cache)
    begun = time.monotonic()
    drawn = prepare([*jobs, *held], workers)
    print(f"drew {drawn} variants in {time.monotonic() - begun:.0f} s", flush=True)
    found = [(load_pool(job), config.data.repeat.get(job.source, 1.0)) for job in jobs]
    found = [(pool, weight) for pool, weight in found if pool]
    check = [drawn for job in held for drawn in load_pool(job)]
    return [pool for pool, _ in found], [weight for _, weight in found], check


def _train_share(
    number: int,
    config: TrainConfig,
    data: tuple[list[list[Drawn]], list[float], list[Drawn]],
    trunk: Path,
    out: Path,
    resume: bool,
) -> None:
    """Be process `number` of those that train together."""
    pools, weights, check = data
    optim = config.optim
    if optim.processes > 1:
        store = f"file://{(out / 'meeting').resolve()}"
        distributed.init_process_group("gloo", init_method=store, rank=number, world_size=optim.processes)
    share = (number, optim.processes)
    batches = Batches(pools, weights, optim.images, optim.expressions, dict(config.data.kinds), config.seed, share)
    train(start(config, trunk, out / "last.pt" if resume else None), batches, check, out)


def run(config: TrainConfig, out: Path, cache: Path, workers: int, resume: bool) -> None:
    """Draw, then train in as many processes as the config says (forked, so that they share the pools)."""
    data = load_data(config, cache, workers)
    out.mkdir(parents=True, exist_ok=True)
    (out / "meeting").unlink(missing_ok=True)
    arguments = (config, data, shared_dir() / config.trunk, out, resume)
    if config.optim.processes == 1:
        _train_share(0, *arguments)
        return
    fork = multiprocessing.get_context("fork")
    team = [fork.Process(target=_train_share, args=(n, *arguments)) for n in range(config.optim.processes)]
    for member in team:
        member.start()
    for member in team:
        member.join()
    if any(member.exitcode for member in team):
        raise TrainingError(f"a training process failed; go on with --resume from {out / 'last.pt'}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ris_node.training", description=__doc__)
    parser.add_argument("config", type=Path, help="YAML of the run, such as config/train/default.yaml")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder: last.pt, best.pt, log.jsonl")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw the pools")
    parser.add_argument("--cache", type=Path, default=Path("runs/pools"), help="where drawn pools are kept")
    given = parser.parse_args(arguments)
    try:
        run(load_config(given.config), given.out, given.cache, given.workers, given.resume)
    except RisError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
