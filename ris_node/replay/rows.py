# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""results.parquet: one row for each processed frame. Timings end in `_ms`; no paths, no wall-clock times."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.errors import ConfigError, DataError
from ris_node.pipeline.grounding import Grounding
from ris_node.replay.options import RESULTS
from ris_node.rle import encode_rle
from ris_node.targets.hold import TargetStep
from ris_node.types import TargetStatus

VERSION = "1"
FOUND = ("PRESENT", "AMBIGUOUS")  # statuses of an answer that has a referent
EXTRA = "pip install 'ris_node[replay]'"
# name: (Arrow type, meaning)
COLUMNS: dict[str, tuple[str, str]] = {
    "bag": ("string", "name of the bag"),
    "frame": ("int64", "counts processed frames from 0"),
    "source_index": ("int64", "counts all images of the topic from 0"),
    "stamp_ns": ("int64", "the image's stamp"),
    "log_ns": ("int64", "when it was recorded"),
    "frame_id": ("string", "the camera's frame"),
    "width": ("int32", "pixels"),
    "height": ("int32", "pixels"),
    "query_id": ("string", "empty: no query was in force"),
    "command": ("string", "the query's text"),
    "kind": ("string", "object or region; empty without a query"),
    "manoeuvre": ("string", "what the vehicle is asked to do"),
    "status": ("string", "PRESENT, ABSENT, UNCERTAIN, AMBIGUOUS, NO_QUERY or ERROR"),
    "presence": ("float64", "probability that it is in the picture"),
    "instances": ("int32", "how many fit"),
    "label": ("string", "class word of the largest"),
    "score": ("float64", "mean mask probability of the largest"),
    "box": ("list<int32>", "x, y, width, height of the largest, pixels"),
    "mask_area": ("float64", "share of the picture"),
    "region_area": ("float64", "share of the picture"),
    "point": ("list<float64>", "x, y: the goal's pixel, or the referent's most interior one"),
    "mask_rle": ("list<int32>", "run lengths of the referent's mask, row by row, zeros first; empty: none"),
    "region_rle": ("list<int32>", "run lengths of the region's mask"),
    "target_status": ("string", "OK, or why there is no target; empty: none was asked for"),
    "target_confirmed": ("bool", "steady for `stable_frames`, so that the node would publish its pose"),
    "target_frame": ("string", "the frame of all metres"),
    "target_x": ("float64", "metres"),
    "target_y": ("float64", "metres"),
    "target_z": ("float64", "metres"),
    "target_yaw": ("float64", "radians"),
    "target_sigma": ("float64", "metres: root of the covariance's trace in x and y"),
    "target_method": ("string", "DEPTH, CLOUD or GROUND_PLANE"),
    "target_score": ("float64", "mean region probability"),
    "target_valid_fraction": ("float64", "share of the region's pixels that could be placed"),
    "footprint": ("list<float64>", "x, y, x, y ... metres: the region's outline"),
    "message": ("string", "why, where a reason is due: what `~/region` says, then `~/result`"),
    "model_id": ("string", "name and version of the bundle"),
    "decode_ms": ("float64", "from the recorded message to pixels"),
    "preprocess_ms": ("float64", "resize and pad"),
    "text_ms": ("float64", "0 when the text features were cached"),
    "inference_ms": ("float64", "the network"),
    "postprocess_ms": ("float64", "masks, instances and target"),
    "total_ms": ("float64", "decode to answer, while others were being answered beside it"),
}
_TYPES = {"int64", "int32", "float64", "string"}
_BATCH = 256


def arrow() -> Any:
    """Import `pyarrow` with its Parquet part.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigError(f"results.parquet needs the Python package 'pyarrow' ({error}): {EXTRA}") from error
    return pa


def schema() -> Any:
    """Return the table's Arrow schema."""
    pa = arrow()
    plain = {name: getattr(pa, name)() for name in _TYPES}
    kinds = {**plain, "bool": pa.bool_(), **{f"list<{n}>": pa.list_(t) for n, t in plain.items()}}
    fields = [pa.field(name, kinds[kind], metadata={"doc": doc}) for name, (kind, doc) in COLUMNS.items()]
    return pa.schema(fields, metadata={"ris_node_results": VERSION})


def answer_row(grounding: Grounding, kind: str, decode_ms: float) -> dict[str, Any]:
    """Return the columns that an answer fills; the caller adds where the frame came from."""
    first = grounding.instances[0] if grounding.instances else None
    planes = grounding.planes
    region = planes is not None and bool(planes.region_pieces.instances)
    timing = grounding.timing
    return {
        "stamp_ns": grounding.stamp_ns,
        "frame_id": grounding.frame_id,
        "width": grounding.width,
        "height": grounding.height,
        "query_id": grounding.query.id,
        "command": grounding.query.text,
        "kind": kind,
        "status": grounding.status.name,
        "presence": grounding.presence,
        "instances": len(grounding.instances),
        "label": first.label if first else "",
        "score": first.score if first else 0.0,
        "box": list(first.box) if first else [],
        "mask_area": sum(instance.area_fraction for instance in grounding.instances),
        "region_area": sum(i.area_fraction for i in planes.region_pieces.instances) if planes else 0.0,
        "point": list(grounding.point) if grounding.point else [],
        "mask_rle": encode_rle(grounding.mask) if first else [],
        "region_rle": encode_rle(grounding.region_mask) if region else [],
        "model_id": grounding.model_id,
        "decode_ms": decode_ms,
        "preprocess_ms": max(timing.preprocess - decode_ms, 0.0),
        "text_ms": timing.text,
        "inference_ms": timing.inference,
        "postprocess_ms": timing.postprocess,
    }


def target_row(step: TargetStep | None) -> dict[str, Any]:
    """Return the columns of a region target; None: the query asked for none."""
    if step is None:
        return {**_NO_TARGET, "target_status": ""}
    target = step.target
    row = {"target_status": target.status.name, "target_confirmed": step.confirmed, "target_frame": target.frame_id}
    if target.status not in (TargetStatus.OK, TargetStatus.STALE):
        return {**_NO_TARGET, **row}
    return {
        **row,
        "target_x": float(target.position[0]),
        "target_y": float(target.position[1]),
        "target_z": float(target.position[2]),
        "target_yaw": float(target.yaw),
        "target_sigma": float(np.sqrt(max(target.covariance[0, 0] + target.covariance[1, 1], 0.0))),
        "target_method": target.method.name,
        "target_score": float(target.score),
        "target_valid_fraction": float(target.valid_fraction),
        "footprint": np.asarray(target.footprint, np.float64).ravel().tolist(),
    }


_NO_TARGET: dict[str, Any] = {
    "target_confirmed": False, "target_frame": "", "target_x": None, "target_y": None, "target_z": None,
    "target_yaw": None, "target_sigma": None, "target_method": "", "target_score": None,
    "target_valid_fraction": None, "footprint": [],
}  # fmt: skip


class RowWriter:
    """Writes rows to a Parquet file in batches."""

    def __init__(self, path: Path) -> None:
        self._pa, self._schema = arrow(), schema()
        self._writer = self._pa.parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        """Append a row with every column."""
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self._flush()

    def close(self) -> None:
        """Write the last rows, and the file's end."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._writer.write_table(self._pa.Table.from_pylist(rows, schema=self._schema))


def join(parts: Sequence[Path], target: Path) -> None:
    """Write the rows of several files, in order, into one; the same rows give the same bytes."""
    pa = arrow()
    with pa.parquet.ParquetWriter(target, schema(), compression="zstd") as writer:
        batches = (batch for part in parts for batch in _batches(part))
        kept: list[Any] = []
        for batch in batches:
            kept.append(batch)
            if sum(b.num_rows for b in kept) >= 4 * _BATCH:
                writer.write_table(pa.Table.from_batches(kept))
                kept = []
        if kept:
            writer.write_table(pa.Table.from_batches(kept))


def _batches(path: Path) -> Iterator[Any]:
    with arrow().parquet.ParquetFile(path) as file:
        yield from file.iter_batches(_BATCH)


def read_table(folder: Path, columns: Sequence[str] | None = None) -> Any:
    """Return the table of a run's folder, or of the file itself.

    Raises:
        DataError: there are no results, or of another version.
    """
    path = folder / RESULTS if folder.is_dir() else folder
    if not path.is_file():
        raise DataError(f"there are no results at {path}: give the folder that 'ris replay --out' wrote")
    pa = arrow()
    try:
        about = pa.parquet.read_schema(path).metadata or {}
        if about.get(b"ris_node_results") != VERSION.encode():
            raise DataError(f"{path} is no table of 'ris replay', or of another version: replay the bag again")
        return pa.parquet.read_table(path, columns=columns)
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} is damaged ({error}): replay the bag again with --resume") from error


def iter_rows(folder: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a run one after the other; only some of them are in memory at a time.

    Raises:
        DataError: there are no results, or of another version.
    """
    read_table(folder, ["frame"])
    path = folder / RESULTS if folder.is_dir() else folder
    with arrow().parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH, columns=list(columns) if columns is not None else None):
            yield from batch.to_pylist()


def content_hash(folder: Path) -> str:
    """Hash every column but timings (SHA-256), to tell whether two runs are the same."""
    digest = hashlib.sha256()
    for row in iter_rows(folder, [name for name in COLUMNS if not name.endswith("_ms")]):
        digest.update(repr(list(row.items())).encode())
    return digest.hexdigest()
