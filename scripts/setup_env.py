# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the project's environment in .venv: Python packages, ROS 2, ris_msgs, and the project itself.

Needs nothing but Python's own library. A step whose inputs have not changed since it last succeeded is left out, so
a second run takes well under a second. With a ROS 2 sourced (ROS_DISTRO is set), that one is used, not the wheels.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from envsetup import steps, tools
from envsetup.place import Place, SetupError, locked
from envsetup.stamps import Stamps
from envsetup.talk import Talk

ROOT = Path(__file__).resolve().parent.parent


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--profile",
        choices=sorted(steps.PROFILES),
        default="demo",
        help="demo: what runs the node; bags: also what reads and writes bags; docs: also what builds the site; "
        "test: also the tests' tools and colcon; train: also torch (default: demo)",
    )
    parser.add_argument("--verbose", action="store_true", help="show every line of the tools' output")
    return parser.parse_args()


def main() -> int:
    """Run what is due; 1 with a message that says what to do when something fails."""
    options = arguments()
    talk = Talk(verbose=options.verbose)
    try:
        place = Place.find(ROOT)
        tools.check(place)
        with locked(place, talk):
            due = Stamps(place).due(steps.steps_for(place, options.profile))
            for number, step in enumerate(due, start=1):
                talk.step(number, len(due), step.title)
                step.run(place, talk)
                Stamps(place).mark(step)
                talk.done()
    except SetupError as error:
        talk.fail(str(error))
        return 1
    except KeyboardInterrupt:
        talk.fail("stopped; run the same command again to go on where it was")
        return 130
    talk.ready(options.profile, place, anything=bool(due))
    return 0


if __name__ == "__main__":
    sys.exit(main())
