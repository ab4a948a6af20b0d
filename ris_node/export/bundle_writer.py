# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a checkpoint to a bundle: graphs, tokenizer, thresholds, provenance and what was measured."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ris_node.bundle import InputContract, Manifest, TextContract, Thresholds, write_manifest
from ris_node.bundle.bundle import ALL_FILES, claim_bundle
from ris_node.errors import ExportError
from ris_node.export.finish import finish_graphs
from ris_node.export.graphs import export_text, export_vision
from ris_node.export.latency import measure
from ris_node.models.minilm import load_minilm, minilm_folder
from ris_node.models.registry import build_model, model_config
from ris_node.models.trunk import TrunkSpec
from ris_node.training.check import answers
from ris_node.training.config import TrainConfig, config_from
from ris_node.training.inputs.pools import load_pool, plan, prepare
from ris_node.training.inputs.words import WordFeatures
from ris_node.training.mean import load_mean
from ris_node.training.recipe.calibrate import Calibration, calibrate

LARGEST_BYTES = 40_000_000
USE = (
    "Trained on CamVid and LabelMeFacade, which are for non-commercial research; on COCO panoptic annotations "
    "(CC BY 4.0; the photos under their authors' Flickr licences); and on this project's own renderings. "
    "The trunk started from a Cityscapes network by Google Coral (Apache-2.0; Cityscapes itself is non-commercial), "
    "the text encoder is all-MiniLM-L6-v2 (Apache-2.0). Non-commercial research only."
)
OWN_USE = (
    "Trained on pictures of {sources}: whoever gave them says what for. The network began with one trained on "
    "Cityscapes, which is for non-commercial use; the text encoder is all-MiniLM-L6-v2 (Apache-2.0)."
)
PUBLIC = frozenset({"camvid", "streets", "coco100", "rendered"})
DESCRIPTION = (
    "TSMI, our reading of its abstract, over a MobileNet-EdgeTPU DeepLab trunk, with a presence head and a region head"
)


@dataclass(frozen=True)
class Trained:
    """A checkpoint made ready: the averaged model in evaluation mode, its run's settings, and its step.

    `mean_of` are the steps whose running averages the weights are the mean of.
    """

    name: str
    model: Any
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
    settings = model_config(config.model, content["settings"])
    model = build_model(config.model, settings, TrunkSpec.from_json(json.loads(content["graph"])))
    model.load_state_dict(content["average"])
    return Trained(config.model, model.eval(), config, int(content["step"]), tuple(content["mean_of"]))


def calibrate_on_held_out(trained: Trained, cache: Path) -> Calibration:
    """Choose the thresholds on the run's held-out training pictures, drawn again where they are not kept."""
    c = trained.model.config
    held = plan(trained.config.data, c.height, c.width, cache)[1]
    prepare(held, 1)
    pictures = [drawn for job in held for drawn in load_pool(job)]
    return calibrate(answers(trained.model, pictures, WordFeatures(c.text_tokens), 48, bf16=False))


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
    encoder = load_minilm()
    export_vision(encoder, trained.model, out / "vision.fp32.onnx")
    export_text(encoder, trained.model, out / "text.onnx")
    shutil.copyfile(minilm_folder() / "tokenizer.json", out / "tokenizer.json")
    manifest = _manifest(trained, chosen, {}, note, use or use_of(trained.config))
    finish_graphs(out, manifest)
    size = sum(path.stat().st_size for path in out.iterdir() if path.is_file())
    if size > LARGEST_BYTES:
        raise ExportError(f"the bundle in {out} has {size} bytes, at most {LARGEST_BYTES}; make the model smaller")
    c = trained.model.config
    graphs = {"vision": out / "vision.fp32.onnx", "text": out / "text.onnx"}
    latency = measure(graphs | ({"bare_trunk": trunk} if trunk else {}), threads=2, size=(c.height, c.width))
    return write_manifest(out, replace(manifest, latency=latency))


def use_of(config: TrainConfig) -> str:
    """Return what a network may be used for, by the names of what it was trained on."""
    own = sorted(set(config.data.variants) - PUBLIC)
    if not own:
        return USE
    return " ".join([OWN_USE.format(sources=", ".join(own)), *([USE] if set(config.data.variants) & PUBLIC else [])])


def _manifest(trained: Trained, chosen: Calibration, latency: Any, note: str, use: str) -> Manifest:
    c = trained.model.config
    return Manifest(
        name=trained.name,
        version="1",
        family="referring",
        use=use,
        description=DESCRIPTION,
        input=InputContract(c.height, c.width),
        text=TextContract(
            c.text_tokens, c.text_width, encoder="all-MiniLM-L6-v2, int8 weights, with a trained adapter"
        ),
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
        latency=latency,
    )
