# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Doctor: ROS 2, the optional packages, the Fast DDS profile in force, and whether big frames get through.

Nothing here imports rclpy: packages are only looked up, and the live check runs in processes of its own.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

from ris_node.cli.doctor.finding import BROKEN, NOTE, OK, WARNING, Finding
from ris_node.logfolder import log_folder, log_trouble, spare_folder
from ris_node.share import shipped_profile

VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")  # newer and older Fast DDS
IN_FOLDER = ("DEFAULT_FASTDDS_PROFILES.xml", "DEFAULT_FASTRTPS_PROFILES.xml")
SEGMENT, MESSAGE = 512 * 1024, 65500  # bytes, where a profile says nothing


@dataclass(frozen=True)
class Limits:
    """Bytes of a shared memory segment, and of the largest message in it."""

    segment: int
    message: int


def find_profiles(environ: Mapping[str, str], folder: Path) -> dict[Path, str]:
    """Return the profile files that Fast DDS may read, and the variable or file name that chose each."""
    profiles: dict[Path, str] = {}
    for variable in VARIABLES:
        if environ.get(variable):
            profiles.setdefault(Path(environ[variable]), variable)
    if not profiles:
        profiles = {folder / name: name for name in IN_FOLDER if (folder / name).is_file()}
    return profiles


def read_limits(path: Path) -> Limits:
    """Read the shared memory sizes of a profile file; Fast DDS's own where it has none.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not XML, or a size is not a number.
    """
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        raise ValueError(f"not XML: {error}") from error
    for descriptor in root.iter():
        values = {_local(child.tag): (child.text or "").strip() for child in descriptor}
        if _local(descriptor.tag) == "transport_descriptor" and values.get("type") == "SHM":
            segment = int(values.get("segment_size", SEGMENT))
            return Limits(segment, int(values.get("maxMessageSize", min(segment, MESSAGE))))
    return Limits(SEGMENT, MESSAGE)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


DISTROS = {"humble": (3, 10), "jazzy": (3, 12), "kilted": (3, 12), "lyrical": (3, 14)}  # and their Python
NEEDED_MESSAGES = ("sensor_msgs", "std_msgs", "std_srvs", "geometry_msgs", "nav_msgs", "diagnostic_msgs")
OPTIONAL = {  # package: what is lost without it
    "tf2_ros": "the camera's pose comes from the parameters camera_x_m ... camera_yaw_deg instead of TF",
    "vision_msgs": "no ~/detections and ~/label_info",
    "cv_bridge": "signed and floating-point images are refused; 8 and 16 bits, YUV, NV12 and Bayer are read without it",
    "foxglove_msgs": "no Foxglove annotations; ~/overlay and ~/markers show the same",
}
WITH_ROS = "run 'make setup' in the repository and use scripts/with_ros, or source a ROS 2 installation"
PROCESSES = 3  # camera, node, client: each makes its own shared memory segment


def check_ros() -> Iterator[Finding]:
    """Whether rclpy and the messages can be found, and where they come from."""
    distro = os.environ.get("ROS_DISTRO", "")
    place = _place("rclpy")
    data = {"distro": distro or None, "rclpy": place}
    if not place:
        wanted = DISTROS.get(distro)
        if wanted and tuple(map(int, platform.python_version_tuple()[:2])) != wanted:
            python = ".".join(map(str, wanted))
            advice = f"ROS 2 {distro} is built for Python {python}, this is {platform.python_version()}: use that one"
            yield Finding("ros", WARNING, f"ROS 2 {distro} is sourced, but rclpy is not found", advice, data)
        else:
            yield Finding("ros", WARNING, "no ROS 2: 'ris predict' works, the node and the demo do not", WITH_ROS, data)
        return
    wheel = _wheel_version("ros-rclpy")
    source = f"wheels from PyPI, ros-rclpy {wheel}" if wheel else f"ROS 2 {distro or 'of unknown name'}"
    yield Finding("ros", OK, f"rclpy found ({source}; {place})", "", {**data, "wheels": bool(wheel)})
    if distro and distro not in DISTROS:
        yield Finding("ros", NOTE, f"ROS 2 {distro} is not one of those tested: {', '.join(DISTROS)}")
    missing = [name for name in NEEDED_MESSAGES if not _place(name)]
    if missing:
        names = " ".join(f"ros-{distro or '<distro>'}-{name.replace('_', '-')}" for name in missing)
        yield Finding("ros", BROKEN, f"messages are missing: {', '.join(missing)}", f"sudo apt install {names}")
    if _place("ris_msgs"):
        yield Finding("ros", OK, f"ris_msgs found ({_place('ris_msgs')})")
    else:
        advice = "'make setup' builds it, then run with scripts/with_ros; with colcon: build, source install/setup.bash"
        yield Finding("ros", BROKEN, "ris_msgs is not built or not sourced: the node cannot start", advice)


def check_logs() -> Iterator[Finding]:
    """Whether ROS can write its log files: without them, no ROS process of others starts."""
    if not _place("rclpy"):
        return
    folder = log_folder(os.environ)
    trouble = log_trouble(folder)
    data = {"folder": str(folder) if folder else None}
    if not trouble:
        yield Finding("ros", OK, f"logs go to {folder}", "", data)
        return
    spare = spare_folder()
    goes = f"ris_node's own go to {spare}" if spare else "ris_node's own go to the terminal only"
    what = f"no log folder, {trouble}: {goes}, other ROS programs do not start"
    yield Finding("ros", WARNING, what, "export ROS_LOG_DIR for every process: a folder that can be written", data)


def check_optional() -> Iterator[Finding]:
    """Check optional ROS packages, and say what is lost without each."""
    if not _place("rclpy"):
        return
    for name, loss in OPTIONAL.items():
        data = {"package": name, "found": bool(_place(name))}
        if _place(name):
            yield Finding("optional", OK, f"{name} found", _cv_bridge_advice() if name == "cv_bridge" else "", data)
        else:
            yield Finding("optional", NOTE, f"{name} not found: {loss}", "", data)


def check_transport(width: int, height: int) -> Iterator[Finding]:
    """Whether frames of this size pass through Fast DDS's shared memory, by the profile in force and /dev/shm."""
    if not _place("rclpy"):
        return
    rmw = os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
    if "fastrtps" not in rmw:
        advice = "the profile launch/fastdds.xml is for Fast DDS; check with 'ris doctor --live' that frames arrive"
        yield Finding("transport", NOTE, f"RMW_IMPLEMENTATION is {rmw}", advice, {"rmw": rmw})
        return
    profiles = find_profiles(os.environ, Path.cwd())
    if not profiles:
        shipped = shipped_profile()
        advice = " ".join(f"{name}={shipped}" for name in VARIABLES)
        what = f"no Fast DDS profile is in force: a 512 kB segment loses most frames of {width}x{height}"
        yield Finding("transport", WARNING, what, f"export {advice} for every process, camera driver too", {"rmw": rmw})
    for profile, variable in profiles.items():
        yield from _profile(profile, variable, width, height)
    if profiles and len({os.environ.get(name) for name in VARIABLES}) > 1:
        what = f"{' and '.join(VARIABLES)} differ: newer Fast DDS reads the first, older the second"
        yield Finding("transport", NOTE, what, "set both to the same file, for every process")


def _profile(profile: Path, variable: str, width: int, height: int) -> Iterator[Finding]:
    """Whether one profile's shared memory holds frames of this size, and whether /dev/shm holds its segments."""
    try:
        limits = read_limits(profile)
    except (OSError, ValueError) as error:
        advice = "correct it, or use launch/fastdds.xml"
        yield Finding("transport", BROKEN, f"{variable} names '{profile}', which cannot be read: {error}", advice)
        return
    needed = width * height * 3
    data = {"profile": str(profile), "segment_bytes": limits.segment, "message_bytes": limits.message}
    what = f"{profile}: segment {limits.segment / 2**20:.1f} MiB, messages to {limits.message / 2**20:.1f} MiB"
    size = f"{width}x{height} frames ({needed / 2**20:.1f} MiB)"
    if limits.segment < 2 * needed:
        advice = f"raise segment_size to {4 * needed} and maxMessageSize to {needed + 65536}, or more"
        yield Finding("transport", WARNING, f"{what}: too small for {size}", advice, data)
    elif limits.message < needed:
        advice = f"raise maxMessageSize to {needed + 65536} where they come late; try 'ris doctor --live'"
        yield Finding("transport", NOTE, f"{what}: {size} travel in pieces", advice, data)
    else:
        yield Finding("transport", OK, f"{what}: enough for {size}", "", data)
    yield from _shared_memory(limits.segment)


def check_network() -> Iterator[Finding]:
    """Check discovery settings that decide who hears whom, and a camera driver's."""
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    if not domain.isdigit() or int(domain) > 232:
        yield Finding("network", BROKEN, f"ROS_DOMAIN_ID is '{domain}'", "give a number from 0 to 101")
    elif int(domain) > 101:
        advice = "above 101 its ports may be taken by other programs on Linux: give 0 to 101"
        yield Finding("network", WARNING, f"ROS_DOMAIN_ID is {domain}", advice)
    else:
        yield Finding("network", OK, f"ROS_DOMAIN_ID is {domain}", "", {"domain": int(domain)})
    for name in ("ROS_LOCALHOST_ONLY", "ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_DISCOVERY_SERVER"):
        if os.environ.get(name, "0") not in ("", "0", "SUBNET"):
            what = f"{name} is {os.environ[name]}: nodes elsewhere may not be seen"
            yield Finding("network", NOTE, what, "set it alike for every process")
    rmem = _number("/proc/sys/net/core/rmem_max")
    if rmem is not None and rmem < 2**22:
        advice = "only for cameras on another computer: sudo sysctl -w net.core.rmem_max=33554432"
        yield Finding("network", NOTE, f"UDP receive buffers end at {rmem // 1024} kB", advice, {"rmem_max": rmem})
    what = "image and camera_info are read best effort, depth 1: best-effort and reliable cameras both connect"
    yield Finding("network", NOTE, what, "command and query are reliable: send them with 'reliable', the default")


def _shared_memory(segment: int) -> Iterator[Finding]:
    if not Path("/dev/shm").is_dir():
        yield Finding("transport", WARNING, "there is no /dev/shm: frames go over UDP", "mount a tmpfs there")
        return
    free = shutil.disk_usage("/dev/shm").free
    data = {"shm_free_bytes": free}
    what = f"/dev/shm has {free / 2**20:.0f} MiB free"
    if free < PROCESSES * segment:
        need = PROCESSES * segment // 2**20
        advice = (
            f"{PROCESSES} processes need {need} MiB: in a container, docker run --shm-size={2 * need}m (or --ipc=host)"
        )
        yield Finding("transport", WARNING, what, advice, data)
    else:
        yield Finding("transport", OK, what, "", data)


def _place(module: str) -> str:
    """The folder a top-level module would be imported from, empty when it would not."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return ""
    if spec is None:
        return ""
    return str(Path(spec.origin).parent) if spec.origin else next(iter(spec.submodule_search_locations or ()), "")


def _wheel_version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _cv_bridge_advice() -> str:
    import numpy

    if int(numpy.__version__.split(".")[0]) >= 2 and os.environ.get("ROS_DISTRO") in ("humble", "jazzy"):
        return "its compiled part breaks under NumPy 2 here: the node does without it, or pin numpy<2"
    return ""


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
