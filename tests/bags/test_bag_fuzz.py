# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Bags and images damaged at random: a RisError or counts, never anything else, and what lies whole is kept."""

from __future__ import annotations

import random
import time
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import damage
import drives
import numpy as np
import pytest

from ris_node.bags.reader import open_bag
from ris_node.bags.typestore import typestore
from ris_node.sensing.images import decode_image

SECONDS = 8.0


def test_whatever_is_damaged_is_read_or_refused_with_a_reason(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    begin, what = time.monotonic(), []
    for each in islice(damage.rounds(tmp_path, seed=7), 400):
        what.append(each)
        if time.monotonic() - begin > SECONDS:
            break
    assert len(what) > 17, "each kind once at least"
    capfd.readouterr()  # what the decoders' libraries say of damaged pictures


def spans(data: bytes) -> list[tuple[int, int]]:
    """Where the records of an MCAP's messages lie."""
    found = []
    for _, at, kind, message in damage.items():
        body = bytes(typestore().serialize_cdr(message, kind.replace("/", "/msg/")))
        head = at.to_bytes(8, "little") * 2
        begin = data.index(head + body) - 15
        found.append((begin, begin + 31 + len(body)))
    return found


@pytest.mark.parametrize("indexed", [True, False])
def test_only_what_the_damage_touches_is_lost_of_an_mcap(tmp_path: Path, indexed: bool) -> None:
    whole = (drives.write_items(tmp_path / "bag", damage.items()) / "bag.mcap").read_bytes()
    places = spans(whole)
    first, last = min(begin for begin, _ in places), max(end for _, end in places)
    path, rng = tmp_path / "damaged.mcap", random.Random(3)
    for _ in range(60):
        at, size = rng.randrange(first, last), rng.choice((1, 8, 64, 700))
        after = at + size
        if not indexed and not any(begin <= at and after <= end for begin, end in places):
            continue  # what describes a topic is nowhere else
        put = rng.choice((rng.randbytes(size), bytes(size), b"", rng.randbytes(2 * size)))
        path.write_bytes(whole[:at] + put + whole[after : None if indexed else last])
        touched = sum(begin < after and at < end for begin, end in places)
        with open_bag(path) as bag:
            found = damage.keys(bag)
            assert len(places) - len(found) <= touched, (at, size, put, bag.problems)


def test_what_lies_whole_before_a_cut_is_kept(tmp_path: Path) -> None:
    whole = (drives.write_items(tmp_path / "bag", damage.items()) / "bag.mcap").read_bytes()
    places = spans(whole)
    path, rng = tmp_path / "cut.mcap", random.Random(4)
    for end in sorted(rng.randrange(min(e for _, e in places), len(whole)) for _ in range(40)):
        path.write_bytes(whole[:end])
        with open_bag(path) as bag:
            assert len(damage.keys(bag)) == sum(stop <= end for _, stop in places)
            assert bag.problems


def test_raw_images_of_which_the_fields_do_not_fit_are_refused() -> None:
    rng = random.Random(2)
    taken = sum(damage.read_raw(damage.raw_message(rng)) for _ in range(3000))
    assert 100 < taken < 2900, "some fit, some do not"


def test_pictures_damaged_at_random_are_refused_or_shown(capfd: pytest.CaptureFixture) -> None:
    rng = random.Random(6)
    shown = [damage.read_picture(damage.damaged(data, rng)) for data in damage.pictures().values() for _ in range(40)]
    assert any(shown)
    assert not all(shown)
    capfd.readouterr()


def test_a_huge_size_without_data_costs_no_memory() -> None:
    message = SimpleNamespace(
        encoding="rgb8", width=2**31, height=2**31, step=3 * 2**31, is_bigendian=0, data=np.zeros(10, np.uint8)
    )
    with pytest.raises(damage.ImageError, match="10 bytes of data"):
        decode_image(message)
