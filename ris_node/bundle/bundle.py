# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Open a model bundle, or refuse it and say why; and write one's manifest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ris_node.bundle.contract import check_manifest
from ris_node.bundle.manifest import FAMILIES, FileEntry, Manifest
from ris_node.errors import BundleError
from ris_node.hashing import hash_files
from ris_node.outputs import claim
from ris_node.share import share_folders

MANIFEST = "manifest.json"
DEFAULT, BASELINE = "default", "keyword-baseline"
VISION_FILES = {  # precision -> the vision graph's file in that precision
    "fp32": "vision.fp32.onnx",
    "int8": "vision.int8-cpu.onnx",
    "fp16": "vision.fp16.onnx",
    "int8-trt": "vision.int8-trt.onnx",
}
GRAPH_FILES = (*VISION_FILES.values(), "text.onnx")
OTHER_FILES = ("tokenizer.json", "golden.npz")  # the latter: what the INT8 network answers, to check processors with
ALL_FILES = (MANIFEST, *GRAPH_FILES, *OTHER_FILES)  # all that a bundle may have
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: its folder, its checked manifest, and what had to be said when it was found."""

    path: Path
    manifest: Manifest
    notes: tuple[str, ...] = ()

    def file(self, name: str) -> Path | None:
        """Return the path of one of the bundle's files; None when the bundle does not have it."""
        return self.path / name if name in self.manifest.files else None

    def kept(self, precision: str) -> bool:
        """Tell whether the manifest says that the graph of a precision, "int8" or "fp16", kept float32's answers."""
        return {"int8": self.manifest.int8, "fp16": self.manifest.fp16}[precision].get("kept") is True


def open_bundle(path: Path | str | None = None) -> Bundle:
    """Open and verify a bundle: schema, files and their hashes, graphs against the contract.

    Args:
        path: the bundle's folder; None or empty: the packaged default, or the keyword baseline where there is none.

    Raises:
        BundleError: saying what is missing or differs, and what to do.
    """
    folder, notes = (Path(path).expanduser(), ()) if path else _packaged()
    if not folder.is_dir():
        raise BundleError(f"there is no model bundle at {folder}: give a folder with a {MANIFEST}")
    source = folder / MANIFEST
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{source} cannot be read ({error}): a bundle needs it; restore or export it") from error
    manifest = Manifest.from_json(text, str(source))
    for name in FAMILIES[manifest.family]:
        if name not in manifest.files:
            raise BundleError(f"{source} does not list {name}, which a {manifest.family} bundle needs: export it again")
    for name, entry in manifest.files.items():
        if Path(name).name != name:
            raise BundleError(f"{source} lists {name!r}: a bundle's files lie in its own folder")
        _check_file(folder / name, entry)
    if "tokenizer.json" in manifest.files:
        _check_tokenizer(manifest, source)
    check_manifest(manifest, str(source))
    log.info("model bundle %s from %s; use: %s", manifest.model_id, folder, manifest.terms(path))
    return Bundle(folder, manifest, notes)


def claim_bundle(folder: Path, names: Sequence[str], inputs: Sequence[Path] = (), *, by: str) -> None:
    """Claim files of a bundle (see `outputs.claim`); its manifest says what is this program's, whatever verb made it.

    Raises:
        ConfigError: one of them was put there by somebody else; nothing was touched.
    """
    claim(folder, names, inputs, by=by, known=files_of(folder))


def files_of(folder: Path) -> set[str]:
    """Return what a folder's manifest lists, and the manifest; nothing where it has none of ours."""
    try:
        manifest = Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, BundleError):
        return set()
    return {MANIFEST, *manifest.files} & set(ALL_FILES)


def engine_folders() -> list[Path]:
    """Return the folders where packaged bundles may lie (`share_folders`)."""
    return share_folders("engines")


def packaged_bundles() -> dict[str, Path]:
    """Return names and folders of the bundles that came with the package; an earlier folder wins."""
    found: dict[str, Path] = {}
    for folder in engine_folders():
        for manifest in sorted(folder.glob(f"*/{MANIFEST}")):
            found.setdefault(manifest.parent.name, manifest.parent)
    return found


def _packaged() -> tuple[Path, tuple[str, ...]]:
    bundles = packaged_bundles()
    if DEFAULT in bundles:
        return bundles[DEFAULT], ()
    if BASELINE in bundles:
        note = f"the default model is not installed: using {BASELINE}, which knows 19 classes and no relations"
        log.warning(note)
        return bundles[BASELINE], (note,)
    looked = ", ".join(map(str, engine_folders())) or "no engines folder was found"
    raise BundleError(f"no packaged model bundle ({looked}): install ris_node again, or give model_dir")


def _check_file(path: Path, entry: FileEntry) -> None:
    if not path.is_file():
        raise BundleError(f"{path} is missing from the bundle: restore it, or export the bundle again")
    size = path.stat().st_size
    if size != entry.bytes:
        raise BundleError(f"{path} has {size} bytes, the manifest says {entry.bytes}: it is damaged or was changed")
    found = file_entry(path).sha256
    if found != entry.sha256:
        raise BundleError(f"{path} has SHA-256 {found[:16]}…, the manifest says {entry.sha256[:16]}…: restore it")


def _check_tokenizer(manifest: Manifest, source: Path) -> None:
    listed = manifest.files["tokenizer.json"].sha256
    if manifest.text.tokenizer_sha256 != listed:
        raise BundleError(
            f"{source}: text.onnx was exported with tokenizer {manifest.text.tokenizer_sha256[:16]}…, the bundle has "
            f"{listed[:16]}…: put the right tokenizer.json there and export the manifest again"
        )


def file_entry(path: Path) -> FileEntry:
    """Return the hash and the size of a file."""
    return FileEntry(hash_files(path), path.stat().st_size)
