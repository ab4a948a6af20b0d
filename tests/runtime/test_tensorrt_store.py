# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Engines in the cache: keys, and every reason to refuse one, on engines that the real TensorRT-RTX has built."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from engine_kit import COMPILE_ONLY, ask, quiet, rtx_kit
from tiny_bundle import make_tiny_bundle

from ris_node.errors import BackendError, EngineMissingError, EngineRefusedError, EngineRejectedError
from ris_node.runtime.tensorrt.build import make_engine
from ris_node.runtime.tensorrt.spec import BuildSpec, EngineRequest, hash_network
from ris_node.runtime.tensorrt.store import (
    cache_root,
    check_engine,
    find_engine,
    list_engines,
    remove,
    set_parity,
    unfinished,
)

ANY = EngineRequest(
    onnx="a.onnx",
    onnx_sha256="0" * 64,
    spec=BuildSpec(),
    runtime="tensorrt",
    version="10.3.0",
    device=COMPILE_ONLY,
    root="/cache",
    bundle="b",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A real engine and its request, for tests to copy."""
    kit = rtx_kit()
    bundle = make_tiny_bundle(tmp_path_factory.mktemp("tiny"))
    request = replace(ask(bundle, kit, tmp_path_factory.mktemp("cache")), bundle="")
    return make_engine(request, kit, quiet)[0], request


@pytest.fixture
def copy(built, tmp_path):
    """The engine in a cache of the test's own."""
    engine, request = built
    request = replace(request, root=str(tmp_path), bundle="my/bundle")
    shutil.copytree(engine.folder, request.folder)
    return request


def edit(request, change):
    path = request.folder / "engine.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_what_the_key_depends_on_and_what_it_does_not():
    assert len(ANY.key) == 16 and int(ANY.key, 16) >= 0
    device = ANY.device
    for other in (
        replace(ANY, onnx_sha256="1" * 64),
        replace(ANY, version="10.3.0.1"),
        replace(ANY, runtime="tensorrt_rtx"),
        replace(ANY, spec=BuildSpec("fp16")),
        replace(ANY, spec=BuildSpec(optimization_level=4)),
        replace(ANY, device=replace(device, sm="8.7")),
        replace(ANY, device=replace(device, name="another GPU")),
        replace(ANY, device=replace(device, platform="linux-aarch64")),
    ):
        assert other.key != ANY.key
    for same in (
        replace(ANY, root="/elsewhere", bundle="c", onnx="other/place.onnx"),
        replace(ANY, device=replace(device, driver="13.1", cuda="13.0", system="R39", memory_bytes=1, index=1)),
    ):
        assert same.key == ANY.key
    assert EngineRequest.from_json(ANY.to_json()) == ANY
    with pytest.raises(BackendError, match="no request"):
        EngineRequest.from_json("{}")
    with pytest.raises(BackendError, match="there is no precision 'fp8'"):
        BuildSpec("fp8")


def test_the_key_of_a_known_request_stays_what_it_is():
    """An engine must be found again by tomorrow's Python: the key is text and SHA-256, nothing that varies."""
    request = replace(ANY, device=replace(COMPILE_ONLY, platform="linux-x86_64"))
    assert request.key == "3b7b902763ad9e94"


def test_external_weights_are_part_of_the_network(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"graph")
    alone = hash_network(tmp_path / "a.onnx")
    (tmp_path / "a.onnx.data").write_bytes(b"weights")
    assert hash_network(tmp_path / "a.onnx") != alone
    with pytest.raises(BackendError, match="restore the bundle"):
        hash_network(tmp_path / "b.onnx")


def test_a_real_engine_is_found_and_whole(built, copy):
    engine = find_engine(copy)
    assert engine.plan.read_bytes()[:4] == b"vtrt" and engine.manifest.heavy == {"fp32": 1}
    assert engine.folder.name == f"fp32-sm8.9-rtx{copy.version}-{copy.key}" and engine.parity is None
    assert [(f, why) for f, e, why in list_engines(Path(copy.root))] == [(copy.folder, "")]
    with pytest.raises(EngineMissingError, match="no fp16 engine"):
        find_engine(replace(copy, spec=BuildSpec("fp16")))


REFUSALS = {
    "truncated": (lambda r: (r.folder / "model.engine").write_bytes(b"vtrt"), "has 4 bytes of .* truncated"),
    "changed": (
        lambda r: (r.folder / "model.engine").write_bytes(bytes((r.folder / "model.engine").stat().st_size)),
        "its SHA-256 differs",
    ),
    "gone": (lambda r: (r.folder / "model.engine").unlink(), "is missing"),
    "no manifest": (lambda r: (r.folder / "engine.json").unlink(), "engine.json cannot be read"),
    "half a manifest": (lambda r: (r.folder / "engine.json").write_text('{"schema": 1,'), "cannot be read"),
    "later manifest": (lambda r: edit(r, lambda d: d.update(schema=9)), "has schema 9, this version reads 1"),
    "writable": (lambda r: (r.folder / "model.engine").chmod(0o666), "written by others, and an engine is code"),
    "other GPU": (
        lambda r: edit(r, lambda d: d["keyed"].update(gpu_name="Orin")),
        "was built for the GPU Orin, here it is no GPU",
    ),
    "other version": (
        lambda r: edit(r, lambda d: d["keyed"].update(trt_version="10.3.0")),
        r"was built for TensorRT 10\.3\.0, here it is 1\.",
    ),
    "other model": (lambda r: edit(r, lambda d: d["keyed"].update(onnx_sha256="ab")), "was built for the network ab"),
    "other precision": (
        lambda r: edit(r, lambda d: d["keyed"]["spec"].update(precision="fp16")),
        "was built for the settings .*fp16",
    ),
    "other tokenizer": (
        lambda r: edit(r, lambda d: d["contract"].update(tokenizer="x")),
        "for a bundle that prepares inputs otherwise",
    ),
    "from elsewhere": (lambda r: edit(r, lambda d: d.update(key="0123456789abcdef")), "put there from elsewhere"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refused_with_the_reason_and_the_command(copy, name):
    spoil, words = REFUSALS[name]
    spoil(copy)
    with pytest.raises(EngineRefusedError, match=words) as caught:
        find_engine(copy)
    assert "ris engine build --bundle my/bundle --precision fp32 --force" in str(caught.value)


def test_wrong_answers_set_an_engine_aside_for_good(copy):
    engine = set_parity(find_engine(copy), {"passed": False, "reason": "IoU 0.2", "samples": 16})
    assert not engine.plan.exists() and (engine.folder / "model.engine.rejected").is_file()
    with pytest.raises(EngineRejectedError, match=r"gives wrong answers \(IoU 0.2\)"):
        find_engine(copy)
    assert "wrong answers" in next(iter(list_engines(Path(copy.root))))[2]


def test_where_engines_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "ris_node/engines" and cache_root("/x") == Path("/x")
    for value in ("", "relative/is/to/be/ignored"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert cache_root() == Path("~/.cache/ris_node/engines").expanduser()


def test_only_what_lies_in_the_cache_is_removed(copy, tmp_path):
    left = f".part-{'0a' * 8}-1"
    (tmp_path / "tiny" / left).mkdir()
    (tmp_path / "tiny" / ".part-time").mkdir()  # somebody's
    assert [p.name for p in unfinished(tmp_path)] == [left]
    assert remove(copy.folder, tmp_path) > 600_000 and not copy.folder.exists()
    outside = tmp_path.parent
    with pytest.raises(BackendError, match="does not lie in the engine cache"):
        remove(outside, tmp_path)
    with pytest.raises(EngineRefusedError):
        check_engine(copy.folder)
