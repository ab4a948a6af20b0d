# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris` itself: help that is quick and teaches, exit codes, one clear line instead of a traceback."""

from __future__ import annotations

import io
import resource
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ris_node.cli import __main__ as cli
from ris_node.cli.verbs import VERBS
from ris_node.errors import BundleError, ConfigError


def ris(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ris_node.cli", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_help_names_every_verb_and_the_exit_codes() -> None:
    answer = ris("--help")
    assert answer.returncode == 0
    for verb in VERBS:
        assert verb.name in answer.stdout
    assert "examples:" in answer.stdout
    assert "exit codes:" in answer.stdout


def test_help_imports_nothing_heavy_and_costs_under_300_ms() -> None:
    script = (
        "import sys, ris_node.cli.__main__ as m; m.build_parser(None)[0].format_help();"
        "print(sorted({'numpy', 'cv2', 'onnxruntime', 'tqdm'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.strip() == "[]"
    costs = []
    for _ in range(3):  # processor time, which other processes on a busy machine do not add to
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ris("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < 0.3


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_every_verb_teaches_and_has_json(verb: str) -> None:
    answer = ris(verb, "--help")
    assert answer.returncode == 0, answer.stderr
    assert "--json" in answer.stdout
    assert f"ris {verb}" in answer.stdout.split("options:")[-1], "no example of its use"


@pytest.mark.parametrize("args", [(), ("fly",), ("config", "--no-such-option"), ("doctor", "--image-size", "big")])
def test_wrong_usage_is_exit_code_2(args: tuple[str, ...]) -> None:
    answer = ris(*args)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
    assert answer.stderr.strip()


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (BundleError("vision.fp32.onnx is missing"), 1, "vision.fp32.onnx is missing"),
        (ConfigError("mask_threshold is 7"), 2, "mask_threshold is 7"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device", "/out/a.png"), 1, "No space left on device '/out/a.png'"),
        (ModuleNotFoundError("x", name="tokenizers"), 1, "'tokenizers' is missing"),
    ],
)
def test_what_goes_wrong_becomes_one_line(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(args: object) -> int:
        raise error

    module = SimpleNamespace(add_arguments=lambda parser: None, run=run)
    monkeypatch.setitem(sys.modules, "ris_node.cli.config", module)
    assert cli.main(["config"]) == code
    shown = capsys.readouterr().err
    assert words in shown
    assert len(shown.strip().splitlines()) == 1


def test_no_verb_fails_on_what_a_terminal_cannot_show(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [io.TextIOWrapper(io.BytesIO(), "ascii", "strict", write_through=True) for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])

    def run(_args: object) -> int:
        print("café \udce9")
        raise BundleError("das große Auto")

    monkeypatch.setattr(cli, "build_parser", lambda _: (SimpleNamespace(parse_args=lambda _: None), run))
    assert cli.main(["predict"]) == 1
    shown = [stream.buffer.getvalue() for stream in streams]
    assert shown == [b"caf\\xe9 \\udce9\n", b"ris predict: das gro\\xdfe Auto\n"]


def test_a_reader_that_has_enough_is_no_error() -> None:
    pipe = f"{sys.executable} -m ris_node.cli config | head -1"
    answer = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.strip() == "/**:"
    assert "Traceback" not in answer.stderr
    assert "BrokenPipe" not in answer.stderr
