# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the product removes, replaces or writes files: each place is listed here, with whose files they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import ris_node

ROOT = Path(ris_node.__file__).parent
REMOVES = {"rmtree", "unlink", "rmdir", "removedirs", "move", "rename", "renames"}
WRITES = {
    "write_text", "write_bytes", "copyfile", "copy2", "copytree", "touch", "imwrite", "savefig", "VideoWriter",
    "to_parquet", "ParquetWriter", "savez", "savez_compressed", "symlink_to", "hardlink_to", "truncate",
}  # fmt: skip
LIBRARIES = {"np": "save", "torch": "save", "onnx": "save", "os": "replace"}
# one home for output folders (only what the verb's marker lists), one for files put in place whole; and then
MAY_REMOVE = {
    "outputs.py": "what the marker says the verb has made",
    "media/film.py": "pieces in the folder `parts` of a replay, which has claimed and signed it",
    "atomic.py": "its own half-written file; renames it into a place that the caller has claimed",
    "replay/parts.py": "pieces inside the folder `parts`, which a replay has claimed and signed",
    "bags/files.py": "its own temporary file",
    "bags/reader.py": "its own temporary file",
    "runtime/tensorrt/build.py": "the engine cache, folders named by a key",
    "runtime/tensorrt/store.py": "the engine cache, folders named by a key",
    "bundle/publish.py": "beside; files that `claim_bundle` has checked or the manifest lists",
    "training/recipe/make.py": "records inside the folder `steps`, claimed and signed",
    "export/onnx_edit.py": "graphs of a bundle that `claim_bundle` has checked",
    "demo/demo.py": "results.jsonl.new becomes results.jsonl; both are claimed",
}
MAY_WRITE = {
    **MAY_REMOVE,
    "bench/pictures.py": "a temporary folder",
    "bench/processes.py": "a log in a temporary folder",
    "bench/cli.py": "claimed",
    "media/images.py": "claimed by its callers",
    "cli/predict/batch.py": "claimed",
    "cli/predict/few.py": "claimed",
    "data/evalset.py": "claimed by `ris evaluate`",
    "data/formats/index.py": "the index cache",
    "data/paste/cutouts.py": "the pools' cache, beside",
    "data/samples/jsonl.py": "beside; claimed by `ris data convert`",
    "demo/processes.py": "logs of the demo, claimed",
    "demo/recording.py": "claimed",
    "evaluation/systems.py": "the folder `answers`, claimed and signed",
    "export/bundle_writer.py": "a claimed bundle",
    "export/graphs.py": "beside",
    "export/keyword_baseline.py": "a claimed bundle",
    "export/onnx_edit.py": "beside",
    "export/rivals.py": "only what is not there",
    "replay/rates.py": "claimed, or a temporary folder",
    "replay/rows.py": "claimed by `ris replay`",
    "runtime/self_check.py": "a claimed bundle",
    "runtime/tensorrt/accept.py": "the engine cache",
    "export/tensorrt/build_process.py": "a temporary folder",
    "training/checkpoint.py": "beside; a claimed run",
    "training/log.py": "a claimed run",
    "training/inputs/pools.py": "the pools' cache, beside",
}


def calls() -> Iterator[tuple[str, int, str, bool]]:
    """Every call that may remove or write: module, line, what is called, whether it removes."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (kind := kind_of(node)):
                yield path.relative_to(ROOT).as_posix(), node.lineno, kind, kind in REMOVES | {"replace"}


def kind_of(call: ast.Call) -> str:
    """What a call does to files, by its name; empty: nothing that is known."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    on = call.func.value.id if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) else ""
    if name in REMOVES | WRITES or LIBRARIES.get(on) == name or (on == "os" and name == "remove"):
        return "rmtree" if name == "remove" else name
    if name == "replace" and len(call.args) == 1 and not call.keywords and isinstance(call.func, ast.Attribute):
        return name  # of pathlib: text's takes two, dataclasses' takes keywords
    words = [a.value for a in [*call.args, *(k.value for k in call.keywords if k.arg == "mode")]
             if isinstance(a, ast.Constant) and isinstance(a.value, str)]  # fmt: skip
    if name in ("open", "fdopen", "TemporaryFile") and any(
        set(w) <= set("rwxabt+") and set(w) & set("wxa+") for w in words
    ):
        return name
    return ""


def test_only_the_listed_places_remove_files_or_put_others_in_their_place() -> None:
    strangers = {
        f"{module}:{line} {kind}" for module, line, kind, removes in calls() if removes and module not in MAY_REMOVE
    }
    assert not strangers, "remove through ris_node.outputs.remove, which knows what is the verb's own"


def test_only_the_listed_places_write_files() -> None:
    found = list(calls())
    strangers = {f"{module}:{line} {kind}" for module, line, kind, _ in found if module not in MAY_WRITE}
    assert not strangers, "claim what is written (ris_node.outputs), then list the module here"
    assert MAY_WRITE.keys() - {"outputs.py"} <= {module for module, *_ in found} | MAY_REMOVE.keys(), "no longer there"


def test_every_kind_of_call_is_seen() -> None:
    for text in (
        "shutil.rmtree(p)", "p.unlink()", "os.remove(p)", "os.replace(a, b)", "p.rename(q)", "p.replace(q)",
        "p.open('w')", "open(p, mode='ab')", "os.fdopen(h, 'r+')", "p.write_text('')", "cv2.imwrite(p, x)",
        "np.save(p, x)",
    ):  # fmt: skip
        assert kind_of(ast.parse(text, mode="eval").body), text  # type: ignore[arg-type]
    for text in ("s.replace('a', 'b')", "replace(x, y=1)", "p.open()", "open(p, 'rb')"):
        assert not kind_of(ast.parse(text, mode="eval").body), text  # type: ignore[arg-type]
