# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pickles: plain data of Python 2 and 3 is read, and nothing a hostile one carries is run."""

from __future__ import annotations

import copyreg
import os
import pickle
from pathlib import Path

import pytest

from ris_node.data.plain import load_plain
from ris_node.errors import DataError

PLAIN = [
    {"ref_id": 1, "box": (1.5, -2), "yes": True, "none": None, "big": 2**70, "s": "Straße", "b": b"\xff", "l": [[]]}
]


class Hostile:
    """Creates a file when it is unpickled by an unpickler that runs code."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_is_read(tmp_path: Path, protocol: int) -> None:
    value = [{k: v for k, v in PLAIN[0].items() if k != "b" or protocol > 2}]  # bytes need a call before protocol 3
    (tmp_path / "a.p").write_bytes(pickle.dumps(value, protocol))
    assert load_plain(tmp_path / "a.p") == value


def test_strings_of_python_2_become_text(tmp_path: Path) -> None:
    # {'raw': 'caf\xc3\xa9', 'sent': 'caf\xe9', 'u': u'\u8eca'} as Python 2 writes it, in protocol 2 and 0
    binary = b"\x80\x02}(U\x03rawU\x05caf\xc3\xa9U\x04sentU\x04caf\xe9U\x01uX\x03\x00\x00\x00\xe8\xbb\x8au."
    text = b"(dS'raw'\nS'caf\\xc3\\xa9'\nsS'sent'\nS'caf\\xe9'\nsS'u'\nV\\u8eca\ns."
    for content in (binary, text):
        (tmp_path / "two.p").write_bytes(content)
        assert load_plain(tmp_path / "two.p") == {"raw": "café", "sent": "café", "u": "車"}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    path, made = tmp_path / "bad.p", tmp_path / "made"
    path.write_bytes(pickle.dumps([PLAIN[0]["s"], {"deep": [Hostile(made)]}], protocol))
    with pytest.raises(DataError, match=r"bad\.p: it holds (posix|nt|os)\.mkdir, and is refused"):
        load_plain(path)
    assert not made.exists()
    pickle.loads(path.read_bytes())  # the same bytes do run code where they may
    assert made.is_dir()


HANDMADE = {
    "INST": b"(S'{path}'\nios\nmkdir\n.",
    "OBJ": b"(cos\nmkdir\nS'{path}'\no.",
    "GLOBAL and REDUCE": b"cos\nmkdir\n(S'{path}'\ntR.",
    "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x05mkdir\x93(S'{path}'\ntR.",
    "builtins": b'cbuiltins\neval\n(S\'__import__("os").mkdir("{path}")\'\ntR.',
    "NEWOBJ": b"\x80\x02cpathlib\nPath\n(S'{path}'\nt\x81.",
    "BUILD": b"\x80\x02ccollections\nOrderedDict\n)R}S'{path}'\nI1\nsb.",
    "set by name": b"\x80\x02c__builtin__\nset\n]\x85R.",
    "persistent": b"P{path}\n.",
    "EXT1": b"\x82\x07(S'{path}'\ntR.",
}


@pytest.mark.parametrize("name", HANDMADE)
def test_every_way_to_a_name_is_closed(tmp_path: Path, name: str) -> None:
    made = tmp_path / "made"
    (tmp_path / "bad.p").write_bytes(HANDMADE[name].replace(b"{path}", str(made).encode()))
    copyreg.add_extension("os", "mkdir", 7)
    try:
        with pytest.raises(DataError, match="refused"):
            load_plain(tmp_path / "bad.p")
    finally:
        copyreg.remove_extension("os", "mkdir", 7)
    assert not made.exists()


def test_damage_is_said(tmp_path: Path) -> None:
    whole = pickle.dumps(PLAIN)
    deep = b"]" * 200000 + b"a" * 199999 + b"."
    for content in (b"", b"no pickle", whole[:-9], whole[5:], b"(((lll", deep, b"]\x94h\x00h\x00a."):
        (tmp_path / "a.p").write_bytes(content)
        with pytest.raises(DataError, match="damaged"):
            load_plain(tmp_path / "a.p")
    with pytest.raises(DataError, match="cannot read"):
        load_plain(tmp_path / "none.p")
