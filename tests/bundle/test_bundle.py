# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle opens when every byte and shape is as it says, and says what differs when not."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper
from tiny_bundle import LENGTH, USE, make_tiny_bundle, vision_graph

from ris_node.bundle import Manifest, TextContract, bundle, open_bundle, packaged_bundles
from ris_node.bundle.contract import check_manifest, check_tensors, contract
from ris_node.errors import BundleError
from ris_node.export.manifest import write_manifest
from ris_node.types import TensorSpec


@pytest.fixture
def folder(tmp_path):
    return make_tiny_bundle(tmp_path / "tiny")


def edit(folder, change):
    path = folder / "manifest.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_the_manifest_survives_the_round_trip(folder):
    manifest = open_bundle(folder).manifest
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert manifest.model_id.startswith("tiny-0+")
    assert set(manifest.files) == {"vision.fp32.onnx", "text.onnx", "tokenizer.json"}
    assert manifest.graphs == contract(manifest)


def test_a_manifest_edited_on_windows_is_read(folder):
    path = folder / "manifest.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert open_bundle(folder).manifest.name == "tiny"


def test_the_terms_are_said_at_load_on_one_short_line(folder, caplog):
    with caplog.at_level(logging.INFO):
        manifest = open_bundle(folder).manifest
    assert manifest.terms(folder) in caplog.text
    assert replace(manifest, use="Apache-2.0").terms("own") == "Apache-2.0"
    long = replace(manifest, use="mine " * 80)
    assert long.terms("own").endswith(" ...; see ris doctor --bundle own") and len(long.terms("own")) < 110
    assert replace(manifest, use=USE + " for non-commercial use").terms() == "non-commercial data; see ris doctor"


def test_a_missing_folder_or_manifest(tmp_path):
    with pytest.raises(BundleError, match="no model bundle at"):
        open_bundle(tmp_path / "nowhere")
    with pytest.raises(BundleError, match=r"manifest.json cannot be read"):
        open_bundle(tmp_path)


@pytest.mark.parametrize("name", ["vision.fp32.onnx", "text.onnx", "tokenizer.json"])
def test_damage_to_any_file_is_found(folder, name):
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BundleError, match=rf"{name} has {len(whole) // 2} bytes"):
        open_bundle(folder)
    path.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
    with pytest.raises(BundleError, match=rf"{name} has SHA-256"):
        open_bundle(folder)
    path.unlink()
    with pytest.raises(BundleError, match=rf"{name} is missing"):
        open_bundle(folder)


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda d: d.update(schema=99), "schema 99, this version reads 1"),
        (lambda d: d.update(family="oracle"), "family 'oracle'"),
        (lambda d: d.update(extra=1), "unknown keys extra"),
        (lambda d: d["input"].update(height=128), r"image is uint8\[1, 256, 320, 3\], the contract says"),
        (lambda d: d["input"].update(height=0), "impossible size"),
        (lambda d: d["text"].update(dim=7), "the contract says float32"),
        (lambda d: d["text"].update(tokenizer_sha256="0" * 64), "right tokenizer.json"),
        (lambda d: d["files"].pop("text.onnx"), "does not list text.onnx"),
        (lambda d: d["files"].update({"../../etc/passwd": {"sha256": "", "bytes": 1}}), "own folder"),
        (lambda d: d["graphs"].pop("text"), "does not describe the text graph"),
        (lambda d: d["graphs"]["vision"]["outputs"].pop("presence_logit"), "lack presence_logit"),
        (lambda d: d.pop("thresholds"), "cannot be read"),
        (lambda d: d.update(files=[1, 2]), "cannot be read"),
    ],
)
def test_a_manifest_that_does_not_hold(folder, change, words):
    edit(folder, change)
    with pytest.raises(BundleError, match=words):
        open_bundle(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00\x01"])
def test_what_is_no_manifest(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(BundleError):
        open_bundle(folder)


def test_a_graph_with_other_names_cannot_be_written(tmp_path):
    folder = make_tiny_bundle(tmp_path)
    model = vision_graph(256, 320)
    wrong = helper.make_node("Identity", ["mask_logits"], ["masks"])
    model.graph.node.append(wrong)
    model.graph.output[0].name = "masks"
    onnx.save(model, folder / "vision.fp32.onnx")
    manifest = Manifest(name="x", version="0", family="referring", use=USE, text=TextContract(LENGTH, 8))
    with pytest.raises(BundleError, match=r"lack mask_logits .*masks"):
        write_manifest(folder, manifest)


def test_a_required_file_must_be_there_to_write(tmp_path):
    with pytest.raises(BundleError, match=r"has no vision\.fp32\.onnx"):
        write_manifest(tmp_path, Manifest(name="x", version="0", family="keyword", use=USE))


def test_tensors_may_come_in_any_order_but_not_with_any_type():
    one, two = (TensorSpec(n, (1, 2), np.dtype("float32")) for n in ("a", "b"))
    check_tensors((two, one), (one, two), "here")
    with pytest.raises(BundleError, match="float64"):
        check_tensors((replace(one, dtype=np.dtype("float64")), two), (one, two), "here")
    with pytest.raises(BundleError, match="does not know"):
        check_tensors((one, two), (one,), "here")


def test_a_keyword_bundle_needs_no_text_graph():
    manifest = Manifest(name="x", version="0", family="keyword", use=USE)
    assert set(contract(manifest)) == {"vision"}
    with pytest.raises(BundleError, match="does not describe the vision graph"):
        check_manifest(manifest, "here")


def test_the_packaged_baseline_opens():
    found = open_bundle(packaged_bundles()["keyword-baseline"])
    assert found.manifest.family == "keyword"
    assert found.manifest.use and found.manifest.provenance["licence"] == "Apache-2.0"


def test_without_a_default_the_baseline_stands_in_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "engine_folders", lambda: [tmp_path])
    with pytest.raises(BundleError, match="no packaged model bundle"):
        open_bundle()
    make_tiny_bundle(tmp_path / "keyword-baseline")
    assert "default model is not installed" in open_bundle().notes[0]
    make_tiny_bundle(tmp_path / "default", name="real")
    assert open_bundle().manifest.name == "real" and not open_bundle().notes


def test_an_installed_package_finds_its_bundles_by_ament(tmp_path, monkeypatch):
    make_tiny_bundle(tmp_path / "share/ris_node/engines/other")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert packaged_bundles()["other"] == tmp_path / "share/ris_node/engines/other"
