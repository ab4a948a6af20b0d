# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Refuses large files in a commit: data and footage belong outside of the repository."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def too_large(paths: list[str], limit_kb: int, allowed: list[str]) -> list[str]:
    """Return a complaint for each file over `limit_kb` that lies under none of the `allowed` folders."""
    complaints = []
    for path in paths:
        if path.startswith(tuple(allowed)) or not Path(path).is_file():
            continue
        size = Path(path).stat().st_size / 1000
        if size > limit_kb:
            complaints.append(f"{path}: {size:.0f} kB is over {limit_kb} kB: keep it outside of the repository")
    return complaints


def main() -> int:
    """Check the files named on the command line; 1 if any is too large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--limit-kb", type=int, default=500)
    parser.add_argument("--except", dest="allowed", action="append", default=[], metavar="FOLDER")
    options = parser.parse_args()
    complaints = too_large(options.paths, options.limit_kb, options.allowed)
    print("\n".join(complaints), end="\n" if complaints else "")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
