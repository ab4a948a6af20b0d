# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris engine`: build, list, show, verify and remove TensorRT engines."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ris_node.config import ModelConfig
from ris_node.errors import BackendError, ConfigError, RisError

if TYPE_CHECKING:
    from ris_node.export.tensorrt.build_process import BuildProgress
    from ris_node.runtime.tensorrt.store import StoredEngine

EPILOG = """\
An engine is a network compiled for one GPU by one version of TensorRT. Build it once after an installation or an
update; the node finds it. With backend 'auto' the node also builds what is missing by itself, and answers with ONNX
Runtime meanwhile. Every engine is held against ONNX Runtime before it is used.

examples:
  ris engine build                               the default model's, in the best precision that the bundle has
  ris engine build --bundle my/bundle --precision int8 --force
  ris engine list                                what there is, and why some of it cannot be used
  ris engine show 8c1f                           everything about one, by the start of its key
  ris engine verify                              files and hashes, and the answers where this machine can run it
  ris engine clean                               what cannot be used, and what killed builds left; --all: everything

writes to $XDG_CACHE_HOME/ris_node/engines (or ~/.cache; --cache-dir): MODEL/PRECISION-smSM-trtVERSION-KEY/ with the
engine, engine.json, parity.json and the samples it was held against; and timing/ with what builds have measured.

exit codes: 0 done; 1 it was not built, or (verify) an engine cannot be used; 2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris engine`."""
    parser.epilog = EPILOG
    parser.add_argument("action", choices=sorted(_ACTIONS), help="what to do")
    parser.add_argument("key", nargs="*", metavar="KEY", help="engines, by the start of a key (show, verify, clean)")
    parser.add_argument("--bundle", metavar="DIR", default="", help="model bundle (build; default: the packaged one)")
    precisions = next(spec.choices for spec in ModelConfig.specs() if spec.name == "precision")
    parser.add_argument(
        "--precision", choices=precisions, default="auto", help="precision (build; default: %(default)s)"
    )
    parser.add_argument("--device", metavar="N", type=int, default=0, help="index of the GPU (default: %(default)s)")
    parser.add_argument("--cache-dir", metavar="DIR", default="", help="where engines are kept")
    parser.add_argument("--force", action="store_true", help="build it even if it is there")
    parser.add_argument("--all", action="store_true", help="clean: good engines and timing caches too")
    parser.add_argument("--dry-run", action="store_true", help="clean: only say what would go")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    if args.key and args.action in ("build", "list"):
        raise ConfigError(f"ris engine {args.action} takes no KEY: you gave {' '.join(args.key)}")
    return _ACTIONS[args.action](args)


def _build(args: argparse.Namespace) -> int:
    from ris_node.bundle import open_bundle
    from ris_node.export.tensorrt.build_process import EngineBuild
    from ris_node.runtime.tensorrt import backend, toolkit
    from ris_node.runtime.tensorrt.store import check_engine, rebuild_command

    bundle = open_bundle(args.bundle or None)
    config = ModelConfig(precision=args.precision, engine_cache_dir=args.cache_dir, device_id=args.device)
    kit = toolkit.detect(args.device)
    request = backend.request_for(bundle, config, kit)
    build = EngineBuild(request, force=args.force)
    bar = _Progress(sys.stderr.isatty())
    try:
        engine = build.run(bar.show)
    except KeyboardInterrupt:
        build.cancel()
        raise
    finally:
        bar.end()
    backend.open_accepted(engine, kit, rebuild_command(request)).close()
    checked = _describe(engine.folder, check_engine(engine.folder), "")
    if args.json:
        print(json.dumps({**checked, "built": build.built}, indent=2))
    else:
        print(f"{'built' if build.built else 'was there already'}: {engine.folder}")
        print(_line(checked))
    return 0


def _list(args: argparse.Namespace) -> int:
    rows = [_describe(*row) for row in _engines(args)]
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        print(_line(row))
    if not rows:
        print(f"no engines in {_root(args)}: `ris engine build` makes one")
    return 0


def _show(args: argparse.Namespace) -> int:
    chosen = list(_chosen(args))
    if not args.key:
        raise ConfigError("say which: ris engine show KEY (see `ris engine list`)")
    print(json.dumps([_everything(*row) for row in chosen], indent=2))
    return 0


def _verify(args: argparse.Namespace) -> int:
    rows, broken = [], 0
    for folder, engine, why in _chosen(args):
        ran, problem = _try(engine, args.device) if engine is not None else ("", why)
        broken += bool(problem)
        rows.append({"folder": str(folder), "usable": not problem, "reason": problem, "ran": ran})
        if not args.json:
            print(f"{'bad ' if problem else 'good'}  {folder.name}: {problem or ran}")
    if args.json:
        print(json.dumps(rows, indent=2))
    elif not rows:
        print(f"no engines in {_root(args)}")
    return 1 if broken else 0


def _clean(args: argparse.Namespace) -> int:
    from ris_node.runtime.tensorrt.store import remove, shared, unfinished

    root = _root(args)
    if args.key:
        going = [folder for folder, _, _ in _chosen(args)]
    else:
        going = [folder for folder, engine, _ in _engines(args) if args.all or engine is None] + unfinished(root)
        going += shared(root) if args.all else []
    freed = 0
    for folder in going:
        if not args.dry_run:
            freed += remove(folder, root)
        if not args.json:
            print(f"{'would remove' if args.dry_run else 'removed'} {folder}")
    if args.json:
        print(json.dumps({"removed": [str(f) for f in going], "bytes": freed, "dry_run": args.dry_run}, indent=2))
    else:
        print(f"{len(going)} folders, {freed / 1e6:.1f} MB")
    return 0


def _root(args: argparse.Namespace) -> Path:
    from ris_node.runtime.tensorrt.store import cache_root

    return cache_root(args.cache_dir)


def _engines(args: argparse.Namespace) -> Iterator[tuple[Path, StoredEngine | None, str]]:
    from ris_node.runtime.tensorrt.store import list_engines

    return list_engines(_root(args))


def _chosen(args: argparse.Namespace) -> Iterator[tuple[Path, StoredEngine | None, str]]:
    rows = list(_engines(args))
    for key in args.key:
        if not any(folder.name.rsplit("-", 1)[-1].startswith(key) for folder, _, _ in rows):
            raise BackendError(f"there is no engine {key} in {_root(args)}: see `ris engine list`")
    for row in rows:
        if not args.key or row[0].name.rsplit("-", 1)[-1].startswith(tuple(args.key)):
            yield row


def _try(engine: StoredEngine, device: int) -> tuple[str, str]:
    """What was done to verify an engine, and what is wrong with it."""
    from ris_node.runtime.tensorrt import toolkit
    from ris_node.runtime.tensorrt.accept import Samples, accept
    from ris_node.runtime.tensorrt.session import TensorRtSession
    from ris_node.runtime.tensorrt.store import SAMPLES, set_parity

    kept = "files and hash are those that were built"
    try:
        kit = toolkit.detect(device)
    except BackendError as error:
        return f"{kept}; not run: {error}", ""
    keyed = engine.manifest.keyed
    here = (kit.name, kit.version, kit.device.sm, kit.device.name)
    if here != tuple(keyed[name] for name in ("runtime", "trt_version", "sm", "gpu_name")):
        return f"{kept}; not run: it is for {keyed['gpu_name']} and {keyed['runtime']} {keyed['trt_version']}", ""
    try:
        with TensorRtSession(engine, kit) as session:
            parity = accept(session, Samples.load(engine.folder / SAMPLES), keyed["spec"]["precision"])
    except RisError as error:
        return "", str(error)
    set_parity(engine, parity.as_dict())
    return f"{kept}; answers as ONNX Runtime does: mean IoU {parity.mean_iou:.4f}", parity.reason


def _describe(folder: Path, engine: StoredEngine | None, why: str) -> dict[str, Any]:
    if engine is None:
        return {"folder": str(folder), "usable": False, "reason": why}
    manifest, parity = engine.manifest, engine.parity
    return {
        "folder": str(folder),
        "usable": True,
        "key": manifest.key,
        "model": manifest.model_id,
        "precision": manifest.keyed["spec"]["precision"],
        "heavy_layers": dict(manifest.heavy),
        "gpu": manifest.keyed["gpu_name"],
        "runtime": f"{manifest.keyed['runtime']} {manifest.keyed['trt_version']}",
        "bytes": manifest.engine_bytes,
        "seconds": manifest.seconds,
        "built_at": manifest.recorded.get("built_at", ""),
        "parity": dict(parity) if parity is not None else None,
    }


def _everything(folder: Path, engine: StoredEngine | None, why: str) -> dict[str, Any]:
    more = json.loads(engine.manifest.to_json()) if engine is not None else {}
    return {**_describe(folder, engine, why), "manifest": more}


def _line(row: dict[str, Any]) -> str:
    if not row["usable"]:
        return f"unusable  {row['folder']}: {row['reason']}"
    parity = row["parity"]
    held = f"mean IoU {parity['mean_iou']:.4f}" if parity else "not yet held against ONNX Runtime"
    size = f"{row['bytes'] / 1e6:.1f} MB"
    words = (row["key"], row["model"], row["precision"], row["gpu"], row["runtime"], size, row["built_at"], held)
    return "  ".join(words)


class _Progress:
    """Shows how far a build is: one line that changes on a terminal, a line for each phase elsewhere."""

    def __init__(self, terminal: bool) -> None:
        self._terminal = terminal
        self._phase = ""

    def show(self, progress: BuildProgress) -> None:
        """Show how far it is."""
        if self._terminal:
            print(f"\r\x1b[K{progress}", end="", file=sys.stderr, flush=True)
        elif progress.phase != self._phase:
            print(json.dumps(asdict(progress)), file=sys.stderr, flush=True)
        self._phase = progress.phase

    def end(self) -> None:
        """End the line."""
        if self._terminal and self._phase:
            print(file=sys.stderr)


_ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "build": _build,
    "list": _list,
    "show": _show,
    "verify": _verify,
    "clean": _clean,
}
