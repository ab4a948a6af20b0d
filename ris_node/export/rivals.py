# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What one would run instead of this network, as ONNX files to time: random weights cost what trained ones do.

Text features are inputs, as one would keep them between frames. `python -m ris_node.export.rivals FOLDER [NAME ...]`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from ris_node.atomic import replacing
from ris_node.entry import start
from ris_node.errors import ExportError

OPSET = 18
WORDS, BERT = 20, 768  # what LAVT reads
DINO_SIZE = (800, 1066)  # a 4:3 picture with the short side at 800, as its processor makes it


@dataclass(frozen=True)
class Rival:
    """A network to time: how it is made, with its inputs by name."""

    name: str
    title: str
    make: Callable[[], tuple[nn.Module, dict[str, torch.Tensor]]]


class _ClipSeg(nn.Module):  # type: ignore[misc]
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(pixel_values=image, conditional_embeddings=text).logits
        return logits


class _Fusion(nn.Module):  # type: ignore[misc]
    """A stage's pixels read the words and take them in through a gate (after LAVT's pixel-word attention)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.out = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)
        self.key, self.value = nn.Linear(BERT, width), nn.Linear(BERT, width)
        self.pixel = nn.Conv2d(width, width, 1)
        self.gate = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.Tanh())
        self.norm, self.norm_out = nn.InstanceNorm2d(width), nn.InstanceNorm2d(width)

    def forward(self, pixels: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        query = self.norm(self.query(pixels)).flatten(2).transpose(1, 2)
        scores = query @ self.key(words).transpose(1, 2) * query.shape[-1] ** -0.5
        read = (scores.softmax(-1) @ self.value(words)).transpose(1, 2).unflatten(2, pixels.shape[2:])
        fused = self.norm_out(self.out(read)) * F.gelu(self.pixel(pixels))
        gate = self.gate(fused.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, pixels.shape[2:])
        return pixels + gate * fused


class _SwinFusion(nn.Module):  # type: ignore[misc]
    """A Swin-T whose four stages are fused with the words, and a top-down decoder of 3x3 convolutions (after LAVT)."""

    def __init__(self, backbone: Any, widths: Sequence[int], hidden: int = 256) -> None:
        super().__init__()
        self.backbone = backbone
        self.fusions = nn.ModuleList(_Fusion(width) for width in widths)
        pairs = zip((widths[3], hidden, hidden), widths[2::-1], strict=True)
        self.decode = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(above + beside, hidden, 3, padding=1, bias=False),
                nn.BatchNorm2d(hidden),
                nn.ReLU(),
                nn.Conv2d(hidden, hidden, 3, padding=1, bias=False),
                nn.BatchNorm2d(hidden),
                nn.ReLU(),
            )
            for above, beside in pairs
        )
        self.out = nn.Conv2d(hidden, 2, 1)

    def forward(self, image: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        maps = self.backbone(image).feature_maps
        fused = [fusion(level, words) for fusion, level in zip(self.fusions, maps, strict=True)]
        x = fused[3]
        for layer, level in zip(self.decode, fused[2::-1], strict=True):
            x = F.interpolate(x, size=level.shape[2:], mode="bilinear", align_corners=True)
            x = layer(torch.cat([x, level], 1))
        return self.out(x)


class _Dino(nn.Module):  # type: ignore[misc]
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = self.model(pixel_values=image, input_ids=tokens, attention_mask=torch.ones_like(tokens))
        return found.logits, found.pred_boxes


def _clipseg() -> tuple[nn.Module, dict[str, torch.Tensor]]:
    from transformers import CLIPSegConfig, CLIPSegForImageSegmentation

    config = CLIPSegConfig(vision_config={"image_size": 352, "patch_size": 16}, reduce_dim=64)
    model = CLIPSegForImageSegmentation(config)
    return _ClipSeg(model), {"image": torch.randn(1, 3, 352, 352), "text": torch.randn(1, config.projection_dim)}


def _swin() -> tuple[nn.Module, dict[str, torch.Tensor]]:
    from transformers import SwinBackbone, SwinConfig

    stages: Any = {"out_features": ["stage1", "stage2", "stage3", "stage4"]}
    config = SwinConfig(
        image_size=480, window_size=7, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24], embed_dim=96, **stages
    )
    model = _SwinFusion(SwinBackbone(config), (96, 192, 384, 768))
    return model, {"image": torch.randn(1, 3, 480, 480), "words": torch.randn(1, WORDS, BERT)}


def _dino() -> tuple[nn.Module, dict[str, torch.Tensor]]:
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection
    from transformers.models.grounding_dino import modeling_grounding_dino

    model = GroundingDinoForObjectDetection(GroundingDinoConfig())
    tokens = torch.tensor([[101, 1996, 2417, 2482, 1012, 102]])  # [CLS] the red car . [SEP]
    special = model.model.special_tokens
    masks = modeling_grounding_dino.generate_masks_with_special_tokens_and_transfer_map(tokens, special)
    # of the tokens alone, by operations that no exporter knows: constants, as the text is here
    modeling_grounding_dino.generate_masks_with_special_tokens_and_transfer_map = lambda *_, **__: masks
    return _Dino(model), {"image": torch.randn(1, 3, *DINO_SIZE), "tokens": tokens}


RIVALS = {
    rival.name: rival
    for rival in (
        Rival("clipseg", "CLIPSeg rd64, 352x352", _clipseg),
        Rival("swin-lavt", "Swin-T, LAVT-like, 480x480", _swin),
        Rival("grounding-dino-tiny", f"Grounding DINO tiny, {DINO_SIZE[1]}x{DINO_SIZE[0]}", _dino),
    )
}


def make(name: str, seed: int = 0) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """Return a rival with random weights in evaluation mode, and its inputs.

    Raises:
        ExportError: there is none of that name.
    """
    if name not in RIVALS:
        raise ExportError(f"there is no rival {name!r}: choose of {', '.join(RIVALS)}")
    torch.manual_seed(seed)
    module, feeds = RIVALS[name].make()
    return module.eval(), feeds


def export_rival(name: str, path: Path) -> None:
    """Write a rival as ONNX.

    Raises:
        ExportError: torch cannot export it; the reason is in the message.
    """
    module, feeds = make(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        settings = {"input_names": list(feeds), "opset_version": OPSET, "verbose": False}
        try:
            program = torch.onnx.export(module, tuple(feeds.values()), dynamo=True, **settings)
            program.save(str(part))
        except Exception as error:  # the exporters raise many kinds, none of them public
            first = " ".join(str(error).split())[:200]
            try:
                torch.onnx.export(module, tuple(feeds.values()), str(part), dynamo=False, **settings)
            except Exception as second:
                raise ExportError(f"{name} cannot be exported ({first}; {str(second)[:200]})") from second


def main(arguments: Sequence[str] | None = None) -> int:
    """Export the rivals named (all without names) into a folder, those that are not there yet; 1 if one failed."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        print("usage: python -m ris_node.export.rivals FOLDER [NAME ...]", file=sys.stderr)
        return 2
    folder, failed = Path(given[0]), 0
    folder.mkdir(parents=True, exist_ok=True)
    for name in given[1:] or RIVALS:
        path = folder / f"{name}.onnx"
        if path.is_file() or path.with_suffix(".txt").is_file():  # there, or known not to be exportable
            continue
        try:
            export_rival(name, path)
            print(f"{path}: {path.stat().st_size / 1e6:.0f} MB")
        except ExportError as error:
            failed = 1
            (folder / f"{name}.txt").write_text(f"{error}\n", encoding="utf-8")
            print(f"error: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    start(main)
