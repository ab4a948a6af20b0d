# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a model bundle says about itself: `manifest.json` as frozen dataclasses, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ris_node.decode import DecodeError, decode
from ris_node.errors import BundleError
from ris_node.types import TensorSpec

SCHEMA = 1
LONGEST_TERMS = 60  # characters, in one line with what follows
FAMILIES: dict[str, tuple[str, ...]] = {  # family -> files that must be there
    "referring": ("vision.fp32.onnx", "text.onnx", "tokenizer.json"),
    "keyword": ("vision.fp32.onnx",),
}
REQUIRED = ("input", "text", "thresholds", "classes", "files", "graphs")  # although they have defaults


@dataclass(frozen=True)
class InputContract:
    """The image that the vision graph takes: u8[1,height,width,3] RGB, letterboxed with `pad_value`."""

    height: int = 256
    width: int = 320
    pad_value: int = 114
    color: str = "rgb"


@dataclass(frozen=True)
class TextContract:
    """The text that the graphs take: L = `max_tokens` word pieces, D = `dim` features."""

    max_tokens: int = 32
    dim: int = 384
    tokenizer_sha256: str = ""
    encoder: str = ""


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Where probabilities become decisions; all are probabilities or shares in 0..1."""

    mask: float = 0.5
    presence: float = 0.5
    uncertain_band: float = 0.1  # presence in [presence - band, presence) is UNCERTAIN
    region: float = 0.5
    min_area_fraction: float = 0.0005
    presence_command: float | None = None  # of commands to the vehicle; None: as `presence`


@dataclass(frozen=True)
class FileEntry:
    """A file's SHA-256 in hex and its size."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class GraphSpec:
    """Names, shapes and dtypes of a graph's inputs and outputs, in order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A bundle's description; `files` and `graphs` are filled by `write_manifest`.

    `provenance`, `quality`, `latency`, `int8` and `fp16` are free JSON objects (what it was made of and how, what was
    measured; `int8` is what the CPU's INT8 graph costs in quality and `fp16` how the half-precision graph compares with
    float32: each is a default, on CPUs and on GPUs, only where it says `kept`);
    `use` is the terms of what it was trained on.
    """

    name: str
    version: str
    family: str
    use: str
    description: str = ""
    input: InputContract = field(default_factory=InputContract)
    text: TextContract = field(default_factory=TextContract)
    thresholds: Thresholds = field(default_factory=Thresholds)
    classes: tuple[str, ...] = ()
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    graphs: Mapping[str, GraphSpec] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)
    latency: Mapping[str, Any] = field(default_factory=dict)
    int8: Mapping[str, Any] = field(default_factory=dict)
    fp16: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def model_id(self) -> str:
        """Name, version and the start of the vision graph's hash: what results are labelled with."""
        vision = self.files.get("vision.fp32.onnx")
        return f"{self.name}-{self.version}" + (f"+{vision.sha256[:8]}" if vision else "")

    def terms(self, folder: Path | str | None = None) -> str:
        """Return the terms of use on one short line, with the command that says all of them.

        Args:
            folder: the bundle as it was asked for; None or empty: the packaged one.
        """
        if len(self.use) <= LONGEST_TERMS:
            return self.use
        doctor = f"ris doctor --bundle {folder}" if folder else "ris doctor"
        research = "non-commercial" in self.use.lower()
        return f"{'non-commercial data' if research else f'{self.use[:LONGEST_TERMS].rstrip()} ...'}; see {doctor}"

    def to_json(self) -> str:
        """Return the manifest as JSON text."""
        data = asdict(self)
        data["graphs"] = {name: _graph_to_json(graph) for name, graph in self.graphs.items()}
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "manifest.json") -> Manifest:
        """Read a manifest from JSON text.

        Raises:
            BundleError: it is not JSON, of another schema or family, or lacks a field.
        """
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise BundleError(f"{where} is not JSON ({error}): restore the bundle from its source") from error
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            found = data.get("schema") if isinstance(data, dict) else type(data).__name__
            raise BundleError(f"{where} has schema {found!r}, this version reads {SCHEMA}: export the bundle again")
        if data.get("family") not in FAMILIES:
            raise BundleError(f"{where} has family {data.get('family')!r}: known are {', '.join(FAMILIES)}")
        try:
            graphs = {name: _graph_from_json(graph, f"graphs: {name}") for name, graph in data["graphs"].items()}
            return decode(cls, {**data, "graphs": graphs}, "the manifest", required=REQUIRED)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            reason = error if isinstance(error, DecodeError) else repr(error)
            raise BundleError(f"{where} cannot be read ({reason}): export the bundle again") from error


def _graph_to_json(graph: GraphSpec) -> dict[str, Any]:
    return {
        side: {spec.name: {"shape": list(spec.shape), "dtype": spec.dtype.name} for spec in getattr(graph, side)}
        for side in ("inputs", "outputs")
    }


def _graph_from_json(data: Mapping[str, Any], where: str) -> GraphSpec:
    """Return a graph whose tensors are listed by name."""
    sides = {side: [{"name": name, **tensor} for name, tensor in tensors.items()] for side, tensors in data.items()}
    return decode(GraphSpec, sides, where)
