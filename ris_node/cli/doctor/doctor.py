# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris doctor`: what is installed, what will work, and what to do where it will not."""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from ris_node.cli.doctor import live, machine, middleware, model
from ris_node.cli.doctor.finding import BROKEN, NOTE, WARNING, Finding
from ris_node.errors import ConfigError

EPILOG = """examples:
  ris doctor                            look at this machine
  ris doctor --live                     and send 1080p frames between two processes over DDS
  ris doctor --camera /front/image_raw  and listen to a camera for a few seconds, as the node would
  ris doctor --image-size 3840x2160     will frames of this size pass through shared memory?
  ris doctor --bundle my/bundle         check this model bundle too
  ris doctor --json | python3 -m json.tool

'BROKEN' means that something needed does not work (exit code 1). A 'warning' costs speed, frames or a feature.
ROS 2 is not needed for 'ris predict'; without it the node, the demo and --live do not run.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris doctor`."""
    parser.epilog = EPILOG
    parser.add_argument("--live", action="store_true", help="send frames between two processes and count them")
    parser.add_argument("--camera", metavar="TOPIC", help="look at this image topic and its camera_info")
    parser.add_argument("--image-size", metavar="WxH", default="1920x1080", help="largest frame (default: %(default)s)")
    parser.add_argument("--bundle", metavar="DIR", type=Path, help="check this model bundle as well")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Look at everything, print what was found, and return 1 when something needed is broken."""
    width, height = _parse_size(args.image_size)
    findings: list[Finding] = []
    with contextlib.redirect_stdout(sys.stderr):  # packages that fail to load may print; stdout is for the report
        for check in _checks(args, width, height):
            findings.extend(check())
    broken = sum(finding.level == BROKEN for finding in findings)
    warnings = sum(finding.level == WARNING for finding in findings)
    if args.json:
        report = {"ok": not broken, "broken": broken, "warnings": warnings}
        print(json.dumps({**report, "findings": [finding.as_dict() for finding in findings]}, indent=2))
    else:
        _print(findings)
        print(f"\n{broken} broken, {warnings} warnings, {sum(f.level == NOTE for f in findings)} notes")
    return 1 if broken else 0


def _checks(args: argparse.Namespace, width: int, height: int) -> Iterable[Callable[[], Iterable[Finding]]]:
    yield machine.check_python
    yield machine.check_machine
    yield machine.check_packages
    yield model.check_backends
    yield lambda: model.check_bundles(args.bundle)
    yield middleware.check_ros
    yield middleware.check_logs
    yield middleware.check_optional
    yield lambda: middleware.check_transport(width, height)
    yield middleware.check_network
    if args.live:
        yield lambda: live.check_live(width, height)
    if args.camera:
        yield lambda: live.check_camera(args.camera)


def _parse_size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not match or "0" in match.groups():
        raise ConfigError(f"--image-size is '{text}': give width x height in pixels, e.g. 1920x1080")
    return int(match[1]), int(match[2])


def _print(findings: Iterable[Finding]) -> None:
    area = ""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            print(f"{area}:")
        print(finding.as_text())
