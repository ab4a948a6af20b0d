# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m ris_node.export RUN/best.pt --out engines/default`: a checkpoint becomes a bundle."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ris_node.data.readers import shared_dir
from ris_node.errors import RisError
from ris_node.export.default import add_quality, calibrate_on_held_out, open_checkpoint, write_bundle


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ris_node.export", description=__doc__)
    parser.add_argument("checkpoint", type=Path, nargs="?", help="best.pt or last.pt of a run")
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder, such as engines/default")
    parser.add_argument("--cache", type=Path, default=Path("runs/pools"), help="where drawn pools are kept")
    parser.add_argument("--quality", type=Path, help="put this evaluation report into the manifest (no checkpoint)")
    parser.add_argument("--note", default="", help="what the manifest should say of the run beside its settings")
    given = parser.parse_args(arguments)
    if (given.checkpoint is None) == (given.quality is None):
        parser.error("give a checkpoint to export, or --quality to add a report to a bundle")
    try:
        if given.quality is not None:
            manifest = add_quality(given.out, given.quality)
        else:
            trained = open_checkpoint(given.checkpoint)
            chosen = calibrate_on_held_out(trained, given.cache)
            manifest = write_bundle(trained, chosen, given.out, shared_dir() / trained.config.trunk, given.note)
    except (RisError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{given.out}: {manifest.model_id}, thresholds {manifest.thresholds}, latency {manifest.latency}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
