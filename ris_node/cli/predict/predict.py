# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris predict`: what a command means in pictures, one by one with overlays or by the thousand from a manifest."""

from __future__ import annotations

import argparse
from pathlib import Path

from ris_node.cli.config import add_set_argument
from ris_node.cli.predict.common import KINDS
from ris_node.errors import ConfigError

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
