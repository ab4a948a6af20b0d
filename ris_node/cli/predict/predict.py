# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris predict`: what a command means in pictures, one by one with overlays or by the thousand from a manifest."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ris_node.cli.config import add_set_argument, parse_settings
from ris_node.errors import ConfigError, RisError
from ris_node.types import QueryKind

if TYPE_CHECKING:
    from ris_node.pipeline.grounder import Grounder
    from ris_node.types import U8, Frame

VERB = "ris predict"  # in the markers of what is written
KINDS = {"auto": QueryKind.AUTO, "object": QueryKind.OBJECT, "region": QueryKind.REGION}

EPILOG = """examples:
  ris predict --image a.png --command "the cyclist" --out out
  ris predict --image a.png b.jpg --command "the red car on the left" "stop next to it" --out out
  ris predict --image a.png --command "park behind the van" --hfov 70 --set camera_z_m=1.4 --out out
  ris predict --manifest in.jsonl --root pictures --out preds.jsonl

Each picture and command gives NAME.overlay.png, NAME.mask.png (and NAME.region.png where the command says where
to go) and NAME.json in the folder OUT.

A line of the manifest       {"id": 1, "image": "a.png", "text": "the cyclist", "type": "object"}
  type                       "object" (default): the thing named; "region": where the vehicle should go
A line of the predictions    {"id", "present", "presence", "mask", "region", "point", "size"}
  present                    true when found, be it one or several that fit; false when absent or uncertain
  mask, region               run lengths at the picture's own size, row by row, starting with zeros; null when empty
  point                      [x, y] pixel of the goal that the node would publish; null without one
  size                       [width, height] of the masks, in pixels: the picture's, upright (EXIF orientation applied)
Bad lines are named by number on stderr, the rest is answered, and the exit code is 1. Stopping with Ctrl-C keeps
the lines already written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris predict`."""
    parser.epilog = EPILOG
    single = parser.add_argument_group("a few pictures")
    single.add_argument("--image", metavar="FILE", nargs="+", action="extend", default=[], help="picture to look at")
    single.add_argument("--command", metavar="TEXT", nargs="+", action="extend", default=[], help="what to look for")
    single.add_argument("--type", choices=KINDS, default="auto", help="read commands so (default: as the text says)")
    batch = parser.add_argument_group("many pictures")
    batch.add_argument("--manifest", metavar="FILE", type=Path, help="JSON lines that name images and texts")
    batch.add_argument("--root", metavar="DIR", type=Path, help="folder of the images (default: the manifest's)")
    parser.add_argument("--out", metavar="PATH", type=Path, required=True, help="folder, or with --manifest a file")
    parser.add_argument("--bundle", metavar="DIR", type=Path, help="model bundle (default: the packaged one)")
    parser.add_argument("--threads", metavar="N", type=int, default=0, help="CPU threads (default: one a core)")
    parser.add_argument("--hfov", metavar="DEG", type=float, help="camera's horizontal view angle: targets in metres")
    parser.add_argument("--json", action="store_true", help="print the answers, or the batch's summary, as JSON")
    add_set_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Answer the pictures or the manifest that `args` name."""
    if bool(args.manifest) == bool(args.image or args.command):
        raise ConfigError("give either --image and --command, or --manifest ('ris predict --help' shows both)")
    if args.manifest:
        from ris_node.cli.predict.batch import run_batch

        return run_batch(args)
    if not (args.image and args.command):
        raise ConfigError(f"--{'command' if args.image else 'image'} is missing: give at least one")
    from ris_node.cli.predict.few import run_few

    return run_few(args)


def open_grounder(args: argparse.Namespace) -> Grounder:
    """Load the bundle that `args` name, and say on stderr which one it is and, in short, what it may be used for."""
    from ris_node.pipeline.grounder import Grounder

    if args.threads < 0:
        raise ConfigError(f"--threads is {args.threads}: give 1 or more, or 0 for one a core")
    config = parse_settings(args.set)
    if args.threads:
        config = config.with_values({"num_threads": args.threads})
    grounder = Grounder.open(args.bundle, model=config.model, output=config.output, region=config.region)
    info = grounder.info
    print(f"model {grounder.model_id} on {info.backend} ({info.provider}, {info.precision})", file=sys.stderr)
    print(f"use: {grounder.bundle.manifest.terms(args.bundle)}", file=sys.stderr)
    return grounder


def reason_of(error: Exception) -> str:
    """What one line says of an error that cost one answer; errors that nobody foresaw with their kind."""
    return str(error) if isinstance(error, (RisError, OSError)) else f"{type(error).__name__}: {error}"


def make_frame(image: U8, hfov_deg: float | None) -> Frame:
    """A frame of RGB u8[H,W,3]; with a view angle it has a pinhole camera, which the camera_* parameters mount."""
    from ris_node.geometry.camera import Camera
    from ris_node.types import Frame

    if hfov_deg is None:
        return Frame(image)
    if not 1.0 <= hfov_deg <= 170.0:
        raise ConfigError(f"--hfov is {hfov_deg:g}: give degrees from 1 to 170")
    return Frame(image, camera=Camera.pinhole(image.shape[1], image.shape[0], hfov_deg))
