# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""How every process of the package starts: output that no terminal refuses, and one clear line for what goes wrong."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from ris_node.errors import ConfigError, RisError

AddArguments = Callable[[argparse.ArgumentParser], None]
Run = Callable[[argparse.Namespace], int]
FAILED, USAGE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141


def start(main: Callable[[], int | None]) -> NoReturn:
    """End the process with the exit code of `main`, run as `guarded`: the last line of a module run by `python -m`."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    sys.exit(guarded(spec.name if spec is not None else Path(sys.argv[0]).stem, main))


def guarded(name: str, work: Callable[[], int | None]) -> int:
    """Run `work` and return its exit code; what goes wrong on purpose or by the system is one line that `name` begins.

    Exit codes: 2 for a value that does not fit, 1 for work that failed, 130 when interrupted.
    """
    escape_output()
    try:
        return work() or 0
    except ConfigError as error:
        return _fail(name, str(error), USAGE)
    except RisError as error:
        return _fail(name, str(error), FAILED)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("ris_node"):
            return _fail(name, f"{error.name} is missing from this installation: install ris_node again", FAILED)
        return _fail(name, f"the Python package '{error.name}' is missing: run 'ris doctor' to see what to do", FAILED)
    except KeyboardInterrupt:
        return _fail(name, "interrupted; what was written is kept", INTERRUPTED)
    except BrokenPipeError:  # e.g. `ris config | head`: the reader has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        where = f" '{error.filename}'" if error.filename else ""
        return _fail(name, f"{error.strerror or error}{where}", FAILED)


def run_verb(verb: str, add_arguments: AddArguments, run: Run) -> int:
    """Run one verb of `ris` by itself, for `python -m` and launchers; return its exit code."""
    parser = argparse.ArgumentParser(f"ris {verb}", formatter_class=argparse.RawDescriptionHelpFormatter)
    complete(parser, add_arguments)
    return guarded(parser.prog, lambda: run(parser.parse_args()))


def complete(parser: argparse.ArgumentParser, add_arguments: AddArguments) -> None:
    """Add a verb's options to its parser, and --json where it has none of its own."""
    add_arguments(parser)
    if "--json" not in parser._option_string_actions:
        parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout")


def escape_output() -> None:
    """Make stdout and stderr escape what their encoding lacks instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def in_one_piece() -> Iterator[None]:
    """Hold Ctrl-C back until the end of the block, so that what it writes and what it counts are never apart."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield  # nothing interrupts here
        return
    asked: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: asked.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if asked:
            before(asked[0], None)


def _fail(name: str, message: str, code: int) -> int:
    print(f"{name}: {message}", file=sys.stderr)
    return code
