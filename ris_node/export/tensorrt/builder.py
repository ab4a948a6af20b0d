# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The process that builds: `python -m ris_node.export.tensorrt.builder REQUEST [--force]`.

Of its own, because a builder that crashes or runs out of memory must not take the node with it. It says what it does in
lines of JSON on stdout, each after a mark, for TensorRT may print there too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ris_node.entry import start
from ris_node.errors import RisError
from ris_node.export.tensorrt.build_process import MARK
from ris_node.export.tensorrt.samples import make_samples
from ris_node.runtime.tensorrt.build import make_engine
from ris_node.runtime.tensorrt.cuda import Cuda
from ris_node.runtime.tensorrt.spec import EngineRequest
from ris_node.runtime.tensorrt.toolkit import Toolkit, load_module

_LEAST_S = 0.2  # between two lines of progress


class Reporter:
    """Writes lines to whoever started this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = ("", -1.0)
        self._at = 0.0

    def progress(self, phase: str, fraction: float) -> None:
        """Say how far it is, a few times a second at most."""
        now = time.monotonic()
        with self._lock:
            if now - self._at < _LEAST_S or (phase, fraction) == self._last:
                return
            self._at, self._last = now, (phase, fraction)
        self.say(event="progress", phase=phase, fraction=fraction)

    def say(self, **values: Any) -> None:
        """Write one line."""
        with self._lock, contextlib.suppress(BrokenPipeError):  # who asked has gone; the next one finds the engine
            print(MARK + json.dumps(values), flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Build the engine of a request file; 1 with a reason where that fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("request", type=Path, help="an engine request as JSON")
    parser.add_argument("--force", action="store_true", help="build it even if it is there")
    args = parser.parse_args(argv)
    os.nice(10)  # the node answers meanwhile
    reporter = Reporter()
    try:
        request = EngineRequest.from_json(args.request.read_text(encoding="utf-8"))
        cuda = Cuda.load() if request.device.present else None
        if cuda is not None:
            cuda.use(request.device.index)
        toolkit = Toolkit(load_module(request.runtime), cuda, request.device, request.runtime)
        samples = partial(make_samples, request.bundle) if request.bundle else None
        engine, built = make_engine(request, toolkit, reporter.progress, force=args.force, make_samples=samples)
    except RisError as error:
        reporter.say(event="failed", reason=str(error))
        return 1
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        reporter.say(event="failed", reason=f"the engine cache cannot be written: {error.strerror or error}{where}")
        return 1
    reporter.say(event="done", folder=str(engine.folder), built=built)
    return 0


if __name__ == "__main__":
    start(main)
