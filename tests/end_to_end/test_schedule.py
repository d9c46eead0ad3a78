"""A job works in the service that `schedule` writes for it, where all but its own folders is read-only, and more is forbidden."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.track import Track
from tests.audio import track_bytes
from tests.servers import remotes
from tests.servers.process import check_possible, system_program

ROOT = Path(__file__).parents[2]
CONFINE = ROOT / "tests" / "schedules" / "confine.py"
OLD = '{"access_token":"old","token_type":"Bearer","refresh_token":"r","expiry":"2020-01-01T00:00:00Z"}'
CONFIG = """\
locations: {inbox: /srv/in box, library: "disk:"}
remotes: {disk: {type: alias, options: {remote: /srv/library}}}
jobs:
  nightly:
    at: 02:30
    steps:
      - organize: {source: inbox, target: library, move: true}
      - sync: {a: library, b: "drive:Music", mode: to-cloud}
"""


class Service:
    """A machine with its own /srv and /var, and a job from an inbox to a library and to Google Drive, whose token has expired."""

    def __init__(self, home: Path, drive: remotes.DriveRemote) -> None:
        self.home = home
        self.drive = drive
        self.srv = home / "srv"
        self.unit = home / "unit"
        self._binds = json.dumps({"/srv": str(self.srv), "/var/lib": str(home / "lib"), "/var/cache": str(home / "cache")})
        for name in ("srv/in box", "srv/library", "srv/home", "srv/rclone", "lib", "cache"):
            (home / name).mkdir(parents=True)
        tags = Track(title=("Song",), artist=("Band",), album=("Album",), track=1, date="2001")
        (self.srv / "in box" / "x.mp3").write_bytes(track_bytes("mp3", tags, seconds=0.2, serial=1))
        section = drive.section("drive")
        (token,) = [line for line in section.splitlines() if line.startswith("token = ")]
        self.conf = self.srv / "rclone" / "rclone.conf"
        authority = drive.options["override.ca_cert"]
        shutil.copy(authority, self.srv / "rclone" / "ca.pem")  # the service does not see our /tmp
        self.conf.write_text(section.replace(token, f"token = {OLD}").replace(authority, "/srv/rclone/ca.pem"))
        (self.srv / "config.yaml").write_text(CONFIG)

    def _run(self, unit: str, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": "/srv/home"}
        confined = [sys.executable, str(CONFINE), unit, self._binds, *command]
        return subprocess.run(confined, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=120, check=False)

    def write_unit(self) -> str:
        """Have `schedule` write the service; returns what it warns of."""
        options = ("--config", "/srv/config.yaml", "--rclone-config", "/srv/rclone/rclone.conf", "--systemd", "--json")
        done = self._run("-", sys.executable, "-m", "orchestrator", "schedule", "nightly", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        events = [json.loads(line) for line in done.stdout.splitlines()]
        (text,) = [one["text"] for one in events if one["type"] == "schedule-file" and one["path"].endswith(".service")]
        self.unit.write_text(text)
        return "\n".join(one["message"] for one in events if one["type"] == "warning")

    def start(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Start the service, or another command in its place."""
        return self._run(str(self.unit), *command)

    def files(self, folder: str) -> list[str]:
        found = [path for path in (self.srv / folder).rglob("*") if path.is_file() and ".music-orchestrator" not in path.parts]
        return sorted(path.relative_to(self.srv / folder).as_posix() for path in found)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    check_possible(sys.platform == "linux" and os.geteuid() == 0, "only root can make a read-only file system for a test")
    system_program("systemd-analyze", package="systemd")
    with remotes.drive() as drive:
        drive.tree.put("Music/there.txt", b"text")
        yield Service(tmp_path, drive)


def test_a_job_does_its_work_in_the_service_and_nothing_outside(service: Service) -> None:
    assert service.write_unit() == ""
    denied = service.start("/bin/sh", "-c", "touch /srv/x; touch /etc/x; touch /usr/x; mount -t tmpfs x /srv/library; id -u")
    assert (denied.stdout, denied.stderr.count("Read-only file system")) == ("0\n", 3), denied.stderr
    done = service.start()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    organized = ["Band/Album (2001)/01 Song.mp3"]
    assert service.files("in box") == []
    assert service.files("library") == organized
    assert {*service.drive.tree.tree("Music")} >= {*organized}
    assert '"old"' not in service.conf.read_text(), "rclone has stored the new token"
    assert (service.home / "lib" / "music-orchestrator" / "journal.sqlite3").exists()
    again = service.start()
    assert (again.returncode, again.stdout + again.stderr) == (0, "")


def test_without_its_folder_in_the_unit_the_job_fails_and_loses_nothing(service: Service) -> None:
    service.write_unit()
    lines = service.unit.read_text().splitlines(keepends=True)
    service.unit.write_text("".join(line for line in lines if line != "ReadWritePaths=-/srv/library\n"))
    done = service.start()
    assert done.returncode not in (0, 1), done.stdout + done.stderr
    assert "read-only file system" in (done.stdout + done.stderr).lower()
    assert service.files("in box") == ["x.mp3"]
    assert service.files("library") == []
