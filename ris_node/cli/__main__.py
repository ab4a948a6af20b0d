# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris` and `python -m ris_node.cli`: choose a verb, run it, and turn what goes wrong into one clear line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ris_node import __version__
from ris_node.cli.verbs import VERBS
from ris_node.entry import Run, complete, guarded, start

EPILOG = """examples:
  ris demo                                                     a street scene, a node, six commands, a video
  ris predict --image a.png --command "the cyclist" --out out  one picture, one command
  ris doctor                                                   will it work here, and if not, what to do
  ris VERB --help                                              all about one verb

exit codes: 0 done; 1 the work failed, or a part of it; 2 wrong usage; 130 interrupted (what was written is kept)
"""


def build_parser(verb_in_use: str | None) -> tuple[argparse.ArgumentParser, Run | None]:
    """Return the parser of `ris`, with the options of `verb_in_use` only: other verbs are not imported."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "ris", description="Referring image segmentation for robots.", epilog=EPILOG, formatter_class=formatter
    )
    parser.add_argument("--version", action="version", version=f"ris_node {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    run = None
    for verb in VERBS:
        sub = verbs.add_parser(verb.name, help=verb.summary, description=verb.summary, formatter_class=formatter)
        if verb.name == verb_in_use:
            add_arguments, run = verb.load()
            complete(sub, add_arguments)
            sub.epilog = sub.epilog or verb.examples
    return parser, run


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ris` with `argv` (the process's own when None) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in words if not word.startswith("-")), None)

    def work() -> int:
        parser, run = build_parser(chosen)
        args = parser.parse_args(words)
        assert run is not None  # parse_args left already where no verb was given
        return run(args)

    return guarded(f"ris {chosen}" if chosen else "ris", work)


if __name__ == "__main__":
    start(main)
