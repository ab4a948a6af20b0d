# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris make`: a bundle from the data folder by a recipe, every step of it; what is stopped goes on."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ris_node.errors import ConfigError

EPILOG = """examples:
  RIS_DATA=~/data ris make recipes/default            trains, exports, measures: hours; then engines/default is written
  RIS_DATA=~/data ris make recipes/default            the same line again: goes on where it was stopped
  RIS_DATA=~/data ris make recipes/default --smoke    every step with a hundred training steps: minutes
  ris make recipes/mine --out engines/mine --work runs/mine
  ris make recipes/default --anew bundle              after a change of the export: without training again

A recipe is a folder with recipe.yaml: steps of 'ris' command lines, which can be run by hand too (docs/training.md).

writes into WORK  a folder for each step, and steps/NAME.json: what it was made of, seconds, exit codes
            OUT   the bundle, when all steps are done; it replaces files of another bundle and nothing else

exit codes: 0 made; 1 a step failed; 2 wrong usage, or a step was made with other inputs; 130 stopped by Ctrl-C or
SIGTERM: the same command goes on
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris make`."""
    parser.epilog = EPILOG
    parser.add_argument("recipe", metavar="RECIPE", type=Path, help="a folder with recipe.yaml")
    parser.add_argument("--out", metavar="DIR", type=Path, help="the bundle (default: engines/NAME; --smoke: in WORK)")
    parser.add_argument("--work", metavar="DIR", type=Path, help="the steps' folders (default: runs/NAME)")
    parser.add_argument("--smoke", action="store_true", help="with the recipe's values for a short run")
    parser.add_argument("--value", metavar="NAME=TEXT", action="append", default=[], help="another value of the recipe")
    parser.add_argument("--anew", metavar="STEP", default="", help="make STEP and all after it again")


def run(args: argparse.Namespace) -> int:
    """Make what is not made yet, then write the bundle to its place."""
    from ris_node.bundle.publish import check_place, publish
    from ris_node.data.location import data_root
    from ris_node.entry import INTERRUPTED
    from ris_node.training.interrupt import RunStoppedError
    from ris_node.training.recipe.make import Making
    from ris_node.training.recipe.recipe import load_recipe, look_at_data

    recipe = load_recipe(args.recipe, args.smoke, dict(map(_pair, args.value)))
    work = args.work or Path("runs", recipe.name + ("-smoke" if args.smoke else ""))
    out = args.out or (None if args.smoke else Path("engines", recipe.name))
    if out is not None:
        check_place(out)
    data = look_at_data(recipe, data_root(), whole=not args.smoke) if recipe.data else {}
    making = Making(recipe, work.resolve(), data)
    try:
        making.run(args.anew)
    except RunStoppedError as error:
        print(error, file=sys.stderr)
        return INTERRUPTED
    if out is not None:
        publish(making.bundle, out)
    if args.json:
        print(json.dumps({"out": str(out or making.bundle), "steps": making.summary()}))
    else:
        print(f"{out or making.bundle}: made by {args.recipe}")
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--value {text}: give NAME=TEXT")
    return name, value
