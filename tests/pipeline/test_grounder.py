# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The core from frame and command to answer, on real graphs whose answers are known (tests/tiny_bundle.py)."""

from __future__ import annotations

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
from tiny_bundle import make_tiny_bundle

from ris_node.config import ModelConfig, OutputConfig, RegionConfig
from ris_node.errors import CommandError, ImageError
from ris_node.geometry.camera import Camera
from ris_node.pipeline.grounder import Grounder
from ris_node.pipeline.overlay import draw_overlay
from ris_node.types import Frame, Manoeuvre, Query, QueryKind, Status, TargetStatus

RED, BLUE = (235, 20, 20), (20, 20, 235)


@pytest.fixture(scope="module")
def grounder(tmp_path_factory):
    folder = make_tiny_bundle(tmp_path_factory.mktemp("tiny"))
    with Grounder.open(folder, model=ModelConfig(num_threads=1)) as opened:
        yield opened


@pytest.fixture(autouse=True)
def fresh(grounder):
    grounder.output, grounder.region = OutputConfig(), RegionConfig()
    grounder.reset()


def scene(width=640, height=480, *boxes):
    """A grey picture with boxes (x, y, w, h, colour) given as shares of its size; red on the left without any."""
    image = np.full((height, width, 3), 90, np.uint8)
    for x, y, w, h, colour in boxes or ((0.2, 0.4, 0.15, 0.2, RED),):
        image[int(y * height) : int((y + h) * height), int(x * width) : int((x + w) * width)] = colour
    return image


@pytest.mark.parametrize("width, height", [(640, 480), (1920, 1080), (480, 640), (641, 479), (4100, 2200), (300, 40)])
def test_the_mask_lies_where_the_thing_is_at_any_size(grounder, width, height):
    image = scene(width, height)
    truth = (image == RED).all(axis=2)
    found = grounder.ground(image, "the red thing")
    assert found.status == Status.PRESENT and found.message == ""
    for plane in (found.mask, found.instance_map, found.confidence, found.region_mask, found.region_confidence):
        assert plane.shape == (height, width)
    assert (found.mask & truth).sum() / (found.mask | truth).sum() > 0.75
    assert np.array_equal(found.instance_map > 0, found.mask)
    assert not found.region_mask.any() and not found.region_confidence.any()
    x, y = found.point
    assert truth[round(y), round(x)]
    assert ((found.confidence >= 128) != found.mask).mean() < 0.004  # the outermost pixel row may differ


def test_absent_means_nothing_at_all(grounder):
    found = grounder.ground(scene(), "the green thing")
    assert found.status == Status.ABSENT and not found.found
    assert not found.mask.any() and not found.confidence.any() and found.instances == ()
    assert found.point is None and found.target is None
    assert found.presence < 0.1 and "not in the picture" in found.message


@pytest.mark.parametrize("text", ["hello", "don't stop next to the red car", "not the red thing"])
def test_what_cannot_be_answered_never_gets_a_mask(grounder, text):
    found = grounder.ground(scene(), text)
    assert found.status == Status.ABSENT and found.message
    assert not found.mask.any() and found.point is None and found.target is None
    assert found.timing.inference == 0.0


def test_cancel_is_no_query(grounder):
    for query in ("cancel", Query("the red car", manoeuvre=Manoeuvre.CANCEL)):
        found = grounder.ground(scene(), query)
        assert found.status == Status.NO_QUERY and not found.mask.any() and found.target is None


def test_several_that_fit_are_all_given_and_none_is_a_goal(grounder):
    image = scene(640, 480, (0.1, 0.4, 0.15, 0.2, RED), (0.6, 0.4, 0.15, 0.2, RED))
    found = grounder.ground(image, "the red car")
    assert found.status == Status.AMBIGUOUS and found.found
    assert len(found.instances) == 2 and set(np.unique(found.instance_map)) == {0, 1, 2}
    assert found.point is None and found.target is None and "several fit" in found.message
    assert grounder.ground(image, "stop next to the red car").target is None
    assert grounder.ground(image, "the biggest red car").status == Status.PRESENT  # words that single one out
    plural = grounder.ground(image, "the red things")
    assert plural.status == Status.PRESENT and len(plural.instances) == 2 and plural.point is not None


def test_uncertain_keeps_its_mask_and_gives_no_goal(grounder):
    grounder.output = OutputConfig(presence_threshold=0.99995, uncertain_band=0.5)
    found = grounder.ground(scene(), "the red thing")
    assert found.status == Status.UNCERTAIN and not found.found
    assert found.mask.any() and found.point is None and found.target is None


def test_thresholds_may_change_while_it_runs(grounder):
    image = scene()
    before = grounder.ground(image, "the red thing")
    grounder.output = OutputConfig(mask_threshold=0.001)
    assert grounder.ground(image, "the red thing").mask.sum() > before.mask.sum()
    grounder.output = OutputConfig(mask_threshold=1.0)
    empty = grounder.ground(image, "the red thing")
    assert empty.status == Status.ABSENT and not empty.mask.any() and empty.presence > 0.9


def test_a_region_without_a_camera_is_a_pixel(grounder):
    found = grounder.ground(scene(), "stop next to the red car")
    assert (found.query.kind, found.status) == (QueryKind.AUTO, Status.PRESENT)
    assert found.region_mask.any() and found.mask.any() and found.target is None
    x, y = found.point
    assert found.region_mask[round(y), round(x)]


def test_a_region_with_a_camera_is_a_target_in_metres(grounder):
    camera = Camera.pinhole(640, 480, 70.0)
    grounder.region = RegionConfig(camera_z_m=1.5, camera_pitch_deg=8.0, vehicle_length_m=1.0, vehicle_width_m=0.6,
                                   min_region_m2=0.5)  # fmt: skip
    frame = Frame(scene(640, 480, (0.25, 0.35, 0.5, 0.25, RED)), 7, "camera_optical_frame", camera=camera)
    found = grounder.ground(frame, "stop next to the red car")
    assert found.target is not None and found.target.status == TargetStatus.OK, found.message
    assert found.target.frame_id == "base_link" and (found.stamp_ns, found.frame_id) == (7, "camera_optical_frame")
    assert found.point == found.target.goal_pixel
    assert found.region_mask[round(found.point[1]), round(found.point[0])]
    grounder.region = replace(grounder.region, vehicle_length_m=30.0, vehicle_width_m=15.0)
    small = grounder.ground(frame, "stop next to the red car")
    assert small.status == Status.PRESENT and small.point is None
    assert small.target.status == TargetStatus.TOO_SMALL and small.message == small.target.message != ""


def test_a_target_is_the_same_at_any_resolution(grounder):
    grounder.region = RegionConfig(camera_pitch_deg=8.0, vehicle_length_m=1.0, vehicle_width_m=0.6, min_region_m2=0.5)
    places = []
    for scale in (1, 3):
        camera = Camera.pinhole(640 * scale, 480 * scale, 70.0)
        frame = Frame(scene(640 * scale, 480 * scale, (0.25, 0.35, 0.5, 0.25, RED)), camera=camera)
        target = grounder.ground(frame, "stop next to the red car").target
        assert target.status == TargetStatus.OK, target.message
        places.append(target.position)
    assert np.allclose(*places, atol=0.3)


def test_nan_intrinsics_are_a_status_not_a_crash(grounder):
    camera = replace(Camera.pinhole(640, 480, 70.0), matrix=np.full((3, 3), math.nan))
    found = grounder.ground(Frame(scene(), camera=camera), "stop next to the red car")
    assert found.status == Status.PRESENT and found.mask.any()
    assert found.target.status == TargetStatus.NO_CAMERA and found.point is None and found.message


def test_queries_are_encoded_once_and_keep_their_id(grounder):
    first, second = grounder.prepare("the red thing"), grounder.prepare("the red thing")
    assert first.query.id == second.query.id != "" and second.text_ms == 0.0
    assert grounder.prepare(Query("the red thing")).features is first.features
    named = grounder.prepare(Query("the red thing", id="abc"))
    assert named.query.id == "abc" and named.features is first.features
    assert grounder.prepare(Query("the red thing")).query.id != grounder.prepare(Query("the red thing")).query.id
    assert grounder.ground(scene(), named).query.id == "abc"
    assert grounder.ground(scene(), "the red thing").query.id == first.query.id


def test_ten_thousand_commands_do_not_pile_up(grounder):
    for number in range(300):
        grounder.prepare(f"the red thing number {number}")
    assert len(grounder._encoded) <= 64 and len(grounder._plain) <= 64


def test_preparing_from_another_thread_while_grounding(grounder):
    errors = []

    def prepare():
        try:
            for number in range(100):
                grounder.prepare(f"the blue thing {number}")
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=prepare)
    thread.start()
    image = scene()
    statuses = {grounder.ground(image, "the red thing").status for _ in range(50)}
    thread.join()
    assert not errors and statuses == {Status.PRESENT}


def test_smoothing_holds_a_referent_over_a_dropped_frame_and_never_crosses_queries(grounder):
    grounder.output = OutputConfig(temporal_smoothing=0.9)
    red, grey = scene(), np.full((480, 640, 3), 90, np.uint8)
    for stamp in range(3):
        grounder.ground(Frame(red, stamp), "the red thing")
    assert grounder.ground(Frame(grey, 3), "the red thing").mask.any()
    assert grounder.ground(Frame(grey, 4), "the blue thing").status == Status.ABSENT
    grounder.ground(Frame(red, 9), "the red thing")
    assert grounder.ground(Frame(grey, 2), "the red thing").status == Status.ABSENT  # time went back


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((480, 640), np.uint8),
        np.zeros((480, 640, 4), np.uint8),
        np.zeros((480, 640, 3), np.float32),
        np.zeros((480, 640, 3), np.uint16),
        np.zeros((0, 640, 3), np.uint8),
        np.zeros((480, 0, 3), np.uint8),
        np.broadcast_to(np.uint8(0), (20000, 10, 3)),
        [[1, 2, 3]],
        None,
    ],
)
def test_images_that_are_none(grounder, image):
    with pytest.raises(ImageError, match="give"):
        grounder.ground(Frame(image), "the red thing")


@pytest.mark.parametrize(
    "image", [scene()[::-1], scene()[:, ::2], np.asfortranarray(scene()), scene(1, 1), scene(3, 2)]
)
def test_images_of_any_layout_and_smallness(grounder, image):
    image.setflags(write=False)
    found = grounder.ground(image, "the red thing")
    assert found.mask.shape == image.shape[:2]


@pytest.mark.parametrize("text", ["", "   ", "🚗", "\x00", "a" * 10_000])
def test_texts_that_are_none(grounder, text):
    with pytest.raises(CommandError):
        grounder.ground(scene(), text)


def test_longer_commands_where_they_are_allowed(grounder):
    long = "the red thing " + "please " * 300
    with pytest.raises(CommandError, match="at most 512"):
        grounder.prepare(long)
    grounder.max_query_chars = 10_000
    try:
        assert grounder.ground(scene(), long).status == Status.PRESENT
    finally:
        grounder.max_query_chars = 512


def test_timing_adds_up(grounder):
    timing = grounder.ground(scene(), "the red thing").timing
    parts = timing.preprocess + timing.text + timing.inference + timing.postprocess
    assert 0.0 < parts <= timing.total
    assert math.isnan(timing.age_at_start) and math.isnan(timing.end_to_end)


@pytest.mark.parametrize("width, height", [(640, 480), (1920, 1080), (20, 15), (1, 1), (101, 501), (64, 64)])
@pytest.mark.parametrize("text", ["stop next to the red car", "the green thing", "hello", "日本語 the red car"])
def test_an_overlay_for_every_answer_at_every_size(grounder, width, height, text):
    image = scene(width, height)
    before = image.copy()
    drawn = draw_overlay(image, grounder.ground(image, text))
    assert drawn.shape == image.shape and drawn.dtype == np.uint8
    assert np.array_equal(image, before)
    if min(width, height) >= 64:
        assert not np.array_equal(drawn, image)


def test_the_overlay_shows_mask_and_goal_where_they_are(grounder):
    image = scene()
    found = grounder.ground(image, "the red thing")
    drawn = draw_overlay(image, found, alpha=1.0)
    changed = (drawn != image).any(axis=2)
    assert changed[found.mask].mean() > 0.9
    assert changed[300:, 400:].sum() == 0
    x, y = (round(v) for v in found.point)
    assert (drawn[y, x] == 255).all()
