# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A finished bundle takes the place of another bundle, and of nothing else."""

from __future__ import annotations

import shutil

import pytest
from tiny_bundle import make_tiny_bundle

from ris_node.bundle import open_bundle
from ris_node.bundle.publish import check_place, publish
from ris_node.errors import BundleError, ConfigError


def test_a_bundle_is_replaced_and_what_else_lies_there_stays(tmp_path):
    old, new = make_tiny_bundle(tmp_path / "old", name="old"), make_tiny_bundle(tmp_path / "new", name="new")
    (old / "README.md").write_text("mine", encoding="utf-8")
    publish(new, old)
    assert open_bundle(old).manifest.name == "new" and (old / "README.md").read_text() == "mine"
    publish(new, tmp_path / "deep/empty")
    assert open_bundle(tmp_path / "deep/empty").manifest == open_bundle(new).manifest
    assert not list(tmp_path.rglob(".*.part.*"))


def test_a_graph_that_the_new_bundle_lacks_goes_with_the_old_one(tmp_path):
    old, new = make_tiny_bundle(tmp_path / "old"), make_tiny_bundle(tmp_path / "new")
    shutil.copyfile(old / "vision.fp32.onnx", old / "vision.fp16.onnx")
    from ris_node.export.manifest import write_manifest

    write_manifest(old, open_bundle(old).manifest)
    publish(new, old)
    assert not (old / "vision.fp16.onnx").exists()


def test_files_that_no_bundle_lists_are_in_the_way(tmp_path):
    new, out = make_tiny_bundle(tmp_path / "new"), tmp_path / "out"
    out.mkdir()
    (out / "text.onnx").write_text("mine", encoding="utf-8")
    for act in (check_place, lambda folder: publish(new, folder)):
        with pytest.raises(ConfigError, match=r"text\.onnx was not made by this program"):
            act(out)
    (out / "text.onnx").rename(out / "manifest.json")  # of some other program
    with pytest.raises(ConfigError, match=r"manifest\.json was not made"):
        publish(new, out)
    assert [path.name for path in out.iterdir()] == ["manifest.json"]
    (new / "text.onnx").write_bytes(b"damaged")
    with pytest.raises(BundleError):
        publish(new, tmp_path / "other")
    assert not (tmp_path / "other").exists()
