# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that train together: Hugging Face accelerate finds devices and partners, one flat sum joins gradients.

The same code runs alone, as gloo processes on CPUs, or under `accelerate launch` and `torchrun` on GPUs and machines.
The model is not wrapped in DistributedDataParallel: a system is called by its parts, an image encoder once for many
expressions, and parts of the trunk take no gradient. One flat reduction after the backward pass takes 33 ms of a CPU's
time for the default model's 3.9 million weights and two gloo processes, DDP's hooks 15 ms, a whole step 1.5 s: the gain
is one part in eighty. The flat one also carries the losses and the request to stop, so that all stop at the same step.
Of accelerate that leaves devices, launchers and collectives. Its prepared optimiser, schedule and clipping each wrap a
line of the trainer's and keep a state of their own, while here rates follow the step and the config that resumes; the
running average is ten lines, three fewer with `torch.optim.swa_utils`, which copies the model at the first step.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

_PATIENCE = timedelta(hours=12)  # one process draws the pools while the others wait
_MARKS = ("WORLD_SIZE", "LOCAL_RANK", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")

try:
    from accelerate import Accelerator
    from accelerate.utils import InitProcessGroupKwargs
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"training needs the package '{error.name}': pip install -r requirements/train.txt", name=error.name
    ) from error


def launched() -> bool:
    """Whether a launcher (accelerate launch, torchrun, mpirun) started this process as one of a team."""
    return any(name in os.environ for name in _MARKS)


def fast_in_bf16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 at full speed: CPUs without AVX-512 take five times as long for it."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) if device.type == "cpu" else False


def open_team() -> Accelerator:
    """Join the team that this process belongs to; alone, a team of one on the GPU if there is one.

    Mixed precision is left to the training step (bf16 in the network, losses in float32), whatever the launcher says.
    """
    wait = InitProcessGroupKwargs(timeout=_PATIENCE)
    return Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="no", kwargs_handlers=[wait])


def join_on_cpu(number: int, count: int, meeting: Path, threads: int) -> Accelerator:
    """Be process `number` of `count` gloo processes of one machine that meet at the file `meeting` (no port needed)."""
    place = {"RANK": number, "LOCAL_RANK": number, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    os.environ.update({name: str(value) for name, value in place.items()}, OMP_NUM_THREADS=str(threads))
    store = f"file://{meeting.resolve()}"
    distributed.init_process_group("gloo", init_method=store, rank=number, world_size=count, timeout=_PATIENCE)
    return Accelerator(cpu=True, mixed_precision="no")


def leave() -> None:
    """End the team's connections; nothing to do for one process."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def same_start(module: torch.nn.Module) -> None:
    """Give every process the first one's weights."""
    if distributed.is_initialized():
        for value in module.state_dict().values():
            shared = value.contiguous()
            distributed.broadcast(shared, 0)
            value.copy_(shared)


def share_gradients(team: Accelerator, parameters: Sequence[torch.nn.Parameter], also: torch.Tensor) -> torch.Tensor:
    """Average the gradients and the values `also` f32[n] over the team, in place; return the averaged values."""
    if team.num_processes == 1:
        return also
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = team.reduce(torch.cat([*(g.reshape(-1) for g in grads), also]), "mean")
    *parts, values = flat.split([*(g.numel() for g in grads), len(also)])
    for parameter, part, grad in zip(parameters, parts, grads, strict=True):
        parameter.grad = part.view_as(grad)
    return values
