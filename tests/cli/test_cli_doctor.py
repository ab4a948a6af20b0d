# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris doctor`: findings, their exit code, the Fast DDS profile, and frames that really pass."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ris_node.bundle import packaged_bundles
from ris_node.cli.__main__ import main
from ris_node.cli.doctor import live as doctor_live
from ris_node.cli.doctor import machine as doctor_machine
from ris_node.cli.doctor import middleware as doctor_ros
from ris_node.cli.doctor import model as doctor_model
from ris_node.cli.doctor.finding import BROKEN, OK, WARNING
from ris_node.cli.doctor.middleware import find_profiles, read_limits
from ris_node.cli.doctor.probes import measure

ROOT = Path(__file__).resolve().parents[2]
SMALL = """<dds><profiles><transport_descriptors><transport_descriptor><transport_id>s</transport_id><type>SHM</type>
<segment_size>1048576</segment_size></transport_descriptor></transport_descriptors></profiles></dds>"""


def test_the_whole_report_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--json"])
    report = json.loads(capsys.readouterr().out)
    levels = {finding["level"] for finding in report["findings"]}
    assert (code == 0) == report["ok"] == (BROKEN not in levels)
    areas = {finding["area"] for finding in report["findings"]}
    assert {"machine", "packages", "backends", "models", "ros", "network"} <= areas
    numpy = next(f["data"] for f in report["findings"] if f["data"].get("package") == "numpy")
    assert numpy["version"] == __import__("numpy").__version__
    for finding in report["findings"]:
        assert finding["level"] in (OK, "note") or finding["advice"], f"says nothing to do: {finding}"


def test_the_packaged_bundles_are_verified_and_answer() -> None:
    findings = list(doctor_model.check_bundles(None))
    assert not [f for f in findings if f.level == BROKEN], findings
    verified = [f for f in findings if "verified" in f.what]
    assert len(verified) == len(packaged_bundles())
    assert all(f.data["use"] for f in verified)
    assert findings[-1].data["answer_ms"] > 0


def test_a_damaged_bundle_is_broken_and_makes_the_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = next(iter(packaged_bundles().values()))
    shutil.copytree(source, tmp_path / "mine")
    graph = tmp_path / "mine/vision.fp32.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"?")
    assert main(["doctor", "--bundle", str(tmp_path / "mine")]) == 1
    shown = capsys.readouterr().out
    assert "BROKEN" in shown
    assert "vision.fp32.onnx has SHA-256" in shown


@pytest.mark.parametrize(
    "missing", ["numpy", "cv2", "onnxruntime", "numpy cv2 onnxruntime tokenizers yaml tqdm psutil"]
)
def test_it_speaks_where_packages_are_missing(missing: str) -> None:
    script = f"import sys\nfor name in {missing.split()}: sys.modules[name] = None\n"
    script += "from ris_node.cli.__main__ import main\nsys.exit(main(['doctor', '--json']))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 1
    broken = {f["data"].get("package") for f in json.loads(answer.stdout)["findings"] if f["level"] == BROKEN}
    assert broken >= set(missing.split())


def test_versions_agree_with_setup_py() -> None:
    text = (ROOT / "setup.py").read_text(encoding="utf-8")
    for _, distributions, oldest in doctor_machine.NEEDED:
        wanted = f"{distributions[0]}>={oldest}" if oldest else distributions[0].lower()
        assert f'"{wanted}' in text, f"setup.py does not ask for {wanted}"


def test_two_packages_in_one_folder_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, name in (("a", "opencv-python"), ("a", "opencv-python-headless"), ("b", "opencv-contrib-python")):
        info = tmp_path / folder / f"{name.replace('-', '_')}-4.5.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 4.5\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "b"), str(tmp_path / "a")])
    found = list(doctor_machine._one_folder("cv2", doctor_machine.OPENCVS))
    assert [f.level for f in found] == [WARNING]
    assert found[0].data["rivals"] == ["opencv-python-headless", "opencv-python"]
    assert "pip uninstall opencv-python-headless opencv-python" in found[0].advice
    assert list(doctor_machine._one_folder("numpy", ("numpy",))) == []


def test_the_shipped_profile_lets_full_hd_through(tmp_path: Path) -> None:
    limits = read_limits(ROOT / "launch/fastdds.xml")
    assert limits.message >= 1920 * 1080 * 3
    assert limits.segment >= 4 * 1920 * 1080 * 3
    (tmp_path / "small.xml").write_text(SMALL, encoding="ascii")
    assert read_limits(tmp_path / "small.xml").segment == 1 << 20
    (tmp_path / "broken.xml").write_text("<dds>", encoding="ascii")
    with pytest.raises(ValueError, match="not XML"):
        read_limits(tmp_path / "broken.xml")


def test_which_profile_is_in_force(tmp_path: Path) -> None:
    assert find_profiles({}, tmp_path) == {}
    both = {"FASTDDS_DEFAULT_PROFILES_FILE": "/a.xml", "FASTRTPS_DEFAULT_PROFILES_FILE": "/a.xml"}
    assert list(find_profiles(both, tmp_path)) == [Path("/a.xml")]
    assert len(find_profiles({**both, "FASTRTPS_DEFAULT_PROFILES_FILE": "/b.xml"}, tmp_path)) == 2
    (tmp_path / "DEFAULT_FASTRTPS_PROFILES.xml").write_text(SMALL, encoding="ascii")
    assert list(find_profiles({}, tmp_path)) == [tmp_path / "DEFAULT_FASTRTPS_PROFILES.xml"]


@pytest.mark.ros
def test_the_transport_finding_follows_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RMW_IMPLEMENTATION", raising=False)
    profile = tmp_path / "profile.xml"
    for name in ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"):
        monkeypatch.setenv(name, str(profile))
    levels = []
    for text in ("<dds>", SMALL, (ROOT / "launch/fastdds.xml").read_text(encoding="utf-8")):
        profile.write_text(text, encoding="utf-8")
        levels.append(next(iter(doctor_ros.check_transport(1920, 1080))).level)
    assert levels == [BROKEN, WARNING, OK]


@pytest.mark.parametrize(("domain", "level"), [("7", OK), ("150", WARNING), ("-1", BROKEN), ("abc", BROKEN)])
def test_domains(domain: str, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", domain)
    assert next(iter(doctor_ros.check_network())).level == level


@pytest.mark.ros
def test_live_frames_really_pass_between_two_processes() -> None:
    result = measure(640, 480, frames=10)
    assert result.error == ""
    assert result.sent == 10
    assert result.received >= 1  # how many is what the check measures; a busy machine loses some
    assert 0 < result.median_ms < 5000


@pytest.mark.ros
def test_live_says_why_when_the_probe_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ris_node.cli.doctor.probes.PROBE", "ris_node.ros.no_such_probe")
    finding = next(iter(doctor_live.check_live(64, 48)))
    assert finding.level == BROKEN
    assert "no_such_probe" in finding.what


@pytest.mark.parametrize("size", ["0x480", "640", "640x480x3", "99999999x1"])
def test_sizes_are_checked(size: str) -> None:
    assert main(["doctor", "--image-size", size]) == 2
