# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Parts that both forms of `ris predict` share: the grounder, a frame, and the reason of a failed answer."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ris_node.cli.config import parse_settings
from ris_node.errors import ConfigError, RisError
from ris_node.types import QueryKind

if TYPE_CHECKING:
    from ris_node.pipeline.grounder import Grounder
    from ris_node.types import U8, Frame

VERB = "ris predict"  # in the markers of what is written
KINDS = {"auto": QueryKind.AUTO, "object": QueryKind.OBJECT, "region": QueryKind.REGION}


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
    """Return the reason of a failed answer in one line; unforeseen errors come with their type."""
    return str(error) if isinstance(error, (RisError, OSError)) else f"{type(error).__name__}: {error}"


def make_frame(image: U8, hfov_deg: float | None) -> Frame:
    """Return a frame of RGB u8[H,W,3]; with a view angle, with a pinhole camera that the camera_* parameters mount."""
    from ris_node.geometry.camera import Camera
    from ris_node.types import Frame

    if hfov_deg is None:
        return Frame(image)
    if not 1.0 <= hfov_deg <= 170.0:
        raise ConfigError(f"--hfov is {hfov_deg:g}: give degrees from 1 to 170")
    return Frame(image, camera=Camera.pinhole(image.shape[1], image.shape[0], hfov_deg))
