# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A test that cannot run is skipped with its reason, and is a failure where RIS_REQUIRE asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

HERE = Path(__file__).resolve().parent
TESTS = {
    "marked": "import pytest\n\n@pytest.mark.none\ndef test_it():\n    assert False\n",
    "inside": "import pytest\n\n@pytest.mark.there_is\ndef test_it():\n    pytest.skip('not today')\n",
    "whole": "import pytest\n\npytest.importorskip('no_such_module_at_all')\n\ndef test_it():\n    pass\n",
}


HERE_IT_RUNS = "import pytest\n\n@pytest.mark.there_is\ndef test_it():\n    pass\n"
MARKS = '"none": ("no_such_module_at_all",), "there_is": ("sys",), '


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, body: str, require: str) -> dict[str, int]:
    """Run one test file under a copy of this suite's conftest.py that knows two more marks; how many ended how."""
    own = (HERE / "conftest.py").read_text()
    own = own.replace("NEEDS = {", "NEEDS = {" + MARKS)
    pytester.makeconftest(own.replace("HELP = {", "HELP = {'none': '', 'there_is': '', "))
    pytester.makeini("[pytest]\nmarkers =\n    none\n    there_is\n")
    pytester.makepyfile(body)
    monkeypatch.setenv("RIS_REQUIRE", require)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider").parseoutcomes()


@pytest.mark.parametrize("case", TESTS)
def test_a_skip_is_a_skip_unless_it_is_required(case: str, pytester, monkeypatch) -> None:
    assert run(pytester, monkeypatch, TESTS[case], "") == {"skipped": 1}
    required = run(pytester, monkeypatch, TESTS[case], "none,there_is,ros")
    assert required in ({"failed": 1}, {"errors": 1})


def test_what_is_there_is_used(pytester, monkeypatch) -> None:
    assert run(pytester, monkeypatch, HERE_IT_RUNS, "") == {"passed": 1}
