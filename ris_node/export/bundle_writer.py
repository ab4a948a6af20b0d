# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Bundle writer: from a checkpoint to graphs, tokenizer, thresholds, provenance and measurements."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ris_node.bundle import InputContract, Manifest, TextContract, Thresholds
from ris_node.bundle.bundle import ALL_FILES, claim_bundle
from ris_node.data.registry import TRAINED
from ris_node.errors import ExportError
from ris_node.export.graphs import export_graphs
from ris_node.export.manifest import write_manifest
from ris_node.export.onnx_edit import finish_graphs
from ris_node.export.parity import measure
from ris_node.models.base import System
from ris_node.models.registry import find_system, model_config
from ris_node.training.check import answers
from ris_node.training.checkpoint import load_mean
from ris_node.training.config import TrainConfig, config_from
from ris_node.training.inputs.pools import load_pool, plan, prepare
from ris_node.training.recipe.calibrate import Calibration, calibrate

LARGEST_BYTES = 40_000_000
PUBLIC_USE = (
    "Trained on CamVid and LabelMeFacade, which are for non-commercial research; on COCO panoptic annotations "
    "(CC BY 4.0; the photos under their authors' Flickr licences); and on this project's own renderings. "
    "{terms} Non-commercial research only."
)
OWN_USE = "Trained on pictures of {sources}: whoever gave them says what for. {terms}"


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Trained system: the averaged model in evaluation mode, its run's settings, and its step.

    `mean_of` are the steps whose running averages the weights are the mean of.
    """

    name: str
    model: System
    config: TrainConfig
    step: int
    mean_of: tuple[int, ...] = ()


def open_checkpoint(*paths: Path) -> Trained:
    """Rebuild the model of a checkpoint, with its averaged weights; of several, with their mean.

    Raises:
        TrainingError: one cannot be read, or they are of different networks.
    """
    content = load_mean(paths)
    config = config_from(content["config"], str(paths[-1]))
    model = find_system(config.model).rebuild(model_config(config.model, content["settings"]), content["graph"])
    model.load_state_dict(content["average"])
    step, mean_of = int(content["step"]), tuple(content["mean_of"])
    return Trained(name=config.model, model=model.eval(), config=config, step=step, mean_of=mean_of)


def calibrate_on_held_out(trained: Trained, cache: Path) -> Calibration:
    """Choose the thresholds on the run's held-out training pictures, drawn again where they are not kept."""
    c = trained.model.config
    held = plan(trained.config.data, c.height, c.width, cache)[1]
    prepare(held, 1)
    pictures = [item for job in held for item in load_pool(job)]
    return calibrate(answers(trained.model, pictures, trained.model.text_reader(), 48, bf16=False))


def write_bundle(
    trained: Trained, chosen: Calibration, out: Path, trunk: Path | None, note: str = "", use: str = ""
) -> Manifest:
    """Write graphs, tokenizer and manifest into `out`.

    `trunk`, where given, is timed beside the vision graph; `note` says of the run what its settings do not, `use` what
    the bundle may be used for ("": what follows from the names of its data).

    Raises:
        ExportError: a graph does not match torch, or the bundle is too large.
        ConfigError: a file is in the way that this program did not make; nothing was touched.
    """
    claim_bundle(out, ALL_FILES, by="ris export")
    export_graphs(trained.model, out)
    shutil.copyfile(trained.model.tokenizer(), out / "tokenizer.json")
    manifest = _manifest(trained, chosen, note, use or use_of(trained.config, trained.model.terms))
    finish_graphs(out, manifest)
    size = sum(path.stat().st_size for path in out.iterdir() if path.is_file())
    if size > LARGEST_BYTES:
        raise ExportError(f"the bundle in {out} has {size} bytes, at most {LARGEST_BYTES}; make the model smaller")
    c = trained.model.config
    graphs = {"vision": out / "vision.fp32.onnx", "text": out / "text.onnx"}
    latency = measure(graphs | ({"bare_trunk": trunk} if trunk else {}), threads=2, size=(c.height, c.width))
    return write_manifest(out, replace(manifest, latency=latency))


def use_of(config: TrainConfig, terms: str) -> str:
    """Return the use that the data of a run and the `terms` of its pretrained parts allow."""
    own = sorted(set(config.data.variants) - TRAINED)
    parts = [OWN_USE.format(sources=", ".join(own), terms=terms)] if own else []
    if set(config.data.variants) & TRAINED or not own:
        parts.append(PUBLIC_USE.format(terms=terms))
    return " ".join(parts)


def _manifest(trained: Trained, chosen: Calibration, note: str, use: str) -> Manifest:
    c = trained.model.config
    return Manifest(
        name=trained.name,
        version="1",
        family="referring",
        use=use,
        description=trained.model.description,
        input=InputContract(c.height, c.width),
        text=TextContract(c.text_tokens, c.text_width, encoder=trained.model.encoder),
        thresholds=Thresholds(
            mask=chosen.mask,
            presence=chosen.presence,
            presence_command=chosen.presence_command,
            uncertain_band=0.03,
            region=chosen.region,
        ),
        provenance={
            "system": trained.name,
            "trained_by_us": True,
            "made_by": "ris train; ris export",
            "date": time.strftime("%Y-%m-%d"),
            "torch": str(torch.__version__),
            "note": note,
            "steps": trained.step,
            **({"mean_of_steps": list(trained.mean_of)} if len(trained.mean_of) > 1 else {}),
            "expressions": trained.step
            * trained.config.optim.images
            * trained.config.optim.expressions
            * trained.config.optim.processes,
            "data": dict(trained.config.data.variants),
            "thresholds": {
                "chosen_on": "held-out pictures of the training sets with training wordings, never the evaluation set",
                **chosen.to_mapping(),
            },
        },
    )
