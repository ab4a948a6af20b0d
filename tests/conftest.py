# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What every test may rely on: its own ROS domain and namespace, and honest skips.

RIS_REQUIRE is a comma-separated list of marks; a skip of a test that carries one of them is a failure, so that a run
cannot pass by leaving things out.
"""

from __future__ import annotations

import importlib.util
import os
import re
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from domains import free_domain, remove_dead_segments

# Before torch is imported: on a busy machine, its threads waiting for each other make tiny networks ten times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REQUIRED = frozenset(filter(None, os.environ.get("RIS_REQUIRE", "").split(",")))
NEEDS = {"ros": ("rclpy", "ris_msgs"), "torch": ("torch",)}  # mark: modules
HELP = {"ros": "run the tests with `make test` or scripts/with_ros", "torch": "`make test TORCH=1` installs it"}


def why_not(mark: str) -> str:
    """Return why tests with `mark` cannot run here, or nothing."""
    missing = [name for name in NEEDS[mark] if importlib.util.find_spec(name) is None]
    return f"no {' and no '.join(missing)}: {HELP[mark]}" if missing else ""


REASONS = {mark: reason for mark in NEEDS if (reason := why_not(mark))}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark, reason in REASONS.items():
            if item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    carried = sorted(mark for mark in REQUIRED if item.get_closest_marker(mark))
    if report.skipped and carried and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but RIS_REQUIRE wants every '{carried[0]}' test to run: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.outcome == "skipped" and REQUIRED & NEEDS.keys():
        report.outcome = "failed"
        report.longrepr = f"skipped whole, but RIS_REQUIRE wants it to run: {report.longrepr}"
    return report


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # started by a script's `&`: what tests start inherits it
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish() -> None:
    remove_dead_segments(Path("/dev/shm"))


@pytest.fixture(autouse=True)
def ros_domain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Give a test marked `ros`, and what it starts, a ROS_DOMAIN_ID of its own; return it (0 for other tests)."""
    if not request.node.get_closest_marker("ros"):
        yield 0
        return
    domain, handle = free_domain()
    with handle:
        monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
        yield domain


@pytest.fixture
def ros_namespace(request: pytest.FixtureRequest) -> str:
    """Return a namespace of the test's own, e.g. /test_swap_p_1234."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", request.node.name).strip("_").lower()
    return f"/{name}_p{os.getpid()}"
