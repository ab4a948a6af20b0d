# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The process that builds, with the real TensorRT-RTX: two at once, killed in mid-build, no room on the disk."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from engine_kit import ask, rtx_kit
from tiny_bundle import make_tiny_bundle

from ris_node.errors import BackendError, EngineMissingError
from ris_node.export.tensorrt import build_process
from ris_node.export.tensorrt.build_process import MARK, EngineBuild
from ris_node.runtime.tensorrt.spec import EngineRequest
from ris_node.runtime.tensorrt.store import engine_lock, find_engine, list_engines, unfinished

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return make_tiny_bundle(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def request_(bundle, tmp_path) -> EngineRequest:
    return ask(bundle, rtx_kit(), tmp_path / "cache")


def start(request: EngineRequest, folder: Path, **options) -> subprocess.Popen[str]:
    path = folder / "request.json"
    path.write_text(request.to_json())
    command = [sys.executable, "-m", "ris_node.export.tensorrt.builder", str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, **options)


def said(text: str) -> list[dict]:
    return [json.loads(line[len(MARK) :]) for line in text.splitlines() if line.startswith(MARK)]


def test_two_at_once_build_once(request_, tmp_path):
    both = [start(request_, tmp_path) for _ in range(2)]
    ends = [said(process.communicate(timeout=300)[0])[-1] for process in both]
    assert [end["event"] for end in ends] == ["done", "done"]
    assert sorted(end["built"] for end in ends) == [False, True]
    assert len(list(list_engines(Path(request_.root)))) == 1 and not unfinished(Path(request_.root))


def test_who_waits_says_so(request_, tmp_path):
    with engine_lock(Path(request_.root), request_.key):
        process = start(request_, tmp_path)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "another process builds this engine" in said(line)[0]["phase"]
    assert said(process.communicate(timeout=300)[0])[-1]["built"] is True


def test_a_kill_in_mid_build_leaves_nothing_that_is_used_and_holds_nobody_up(request_, tmp_path):
    process = start(request_, tmp_path)
    deadline = time.monotonic() + 300
    while not unfinished(Path(request_.root)) and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    assert unfinished(Path(request_.root)), "it was killed in mid-build"
    assert not list(list_engines(Path(request_.root)))
    with pytest.raises(EngineMissingError):
        find_engine(request_)
    engine = EngineBuild(request_).run(lambda beat: None)
    assert engine.plan.is_file() and not unfinished(Path(request_.root))


def test_no_room_for_the_engine(request_, tmp_path):
    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # bytes; the engine has 677 kB

    process = start(request_, tmp_path, preexec_fn=no_room)
    end = said(process.communicate(timeout=300)[0])[-1]
    assert process.returncode == 1 and end["event"] == "failed"
    assert "the engine cache cannot be written: File too large" in end["reason"]
    assert not list(Path(request_.root).glob("tiny*/*")) and not list(Path(request_.root).glob("tiny*/.*"))


def test_progress_and_the_engine_come_back(request_):
    beats = []
    build = EngineBuild(request_)
    engine = build.run(beats.append)
    assert build.built and engine.manifest.recorded["pid"] != 0 and build.pid is None
    assert beats and beats[-1].fraction == 1.0 and [b.fraction for b in beats] == sorted(b.fraction for b in beats)
    again = EngineBuild(request_)
    assert again.run(lambda beat: None).folder == engine.folder and not again.built


def test_a_network_that_cannot_be_built_comes_back_as_words(request_, tmp_path):
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"this is no network")
    from ris_node.runtime.tensorrt.spec import hash_network

    wrong = replace(request_, onnx=str(bad), onnx_sha256=hash_network(bad))
    with pytest.raises(BackendError, match="does not parse"):
        EngineBuild(wrong).run(lambda beat: None)
    with pytest.raises(BackendError, match=r"tensorrt_rtx 9\.9 was asked for, here is"):
        EngineBuild(replace(request_, version="9.9")).run(lambda beat: None)


def test_cancelled_killed_and_silent(request_, monkeypatch):
    monkeypatch.setattr(build_process, "HEARTBEAT_S", 0.05)
    with engine_lock(Path(request_.root), request_.key):  # so that it waits for as long as the test likes
        for how, words in (("cancel", "the build was cancelled"), ("kill", "was ended by SIGKILL while")):
            build, caught, beats = EngineBuild(request_), [], []

            def follow(build=build, caught=caught, beats=beats) -> None:
                try:
                    build.run(beats.append)
                except BackendError as error:
                    caught.append(str(error))

            thread = threading.Thread(target=follow)
            thread.start()
            deadline = time.monotonic() + 120
            while len(beats) < 5 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert len(beats) >= 5, "a heartbeat, whatever the builder says"
            if how == "cancel":
                build.cancel()
            else:
                import os

                os.kill(build.pid, signal.SIGKILL)
            thread.join(60)
            assert words in caught[0]
    build = EngineBuild(request_)
    build.cancel()
    with pytest.raises(BackendError, match="cancelled"):
        build.run(lambda beat: None)
