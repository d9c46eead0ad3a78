"""A program whose processes are looked at whenever it sends something, and everything that it leaves behind."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

from tests.pages import read_page
from tests.processes import processes_below
from tests.program import Ended, Program
from tests.servers.http import HttpProxy, Refuse, Seen


def read_if_alive(file: Path) -> bytes:
    """The content of a file of /proc; nothing if the process has ended."""
    with contextlib.suppress(OSError):
        return file.read_bytes()
    return b""


class Watched(Program):
    """See the module."""

    arguments: bytes = b""
    """The command lines of its descendants."""
    environments: bytes = b""
    """Their environments."""
    processes = 0
    """How many were looked at."""

    def watch(self, *proxies: HttpProxy) -> None:
        """Look whenever a request passes one of these."""

        def look(_: Seen) -> bool:
            for pid, _name in processes_below(self.pid):
                self.processes += 1
                self.arguments += read_if_alive(Path(f"/proc/{pid}/cmdline"))
                self.environments += read_if_alive(Path(f"/proc/{pid}/environ"))
            return False

        for proxy in proxies:
            proxy.when(look, Refuse())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """As in `Program`."""
        process = super().start(*arguments)
        self.pid = process.pid
        return process


def everything(tmp_path: Path, program: Program, *ended: Ended) -> bytes:
    """Everything that the program has printed and written."""
    said = "".join(one.stderr + str(one.events) for one in ended).encode()
    files = [*program.state.rglob("*"), *tmp_path.glob("*.log"), *tmp_path.glob("*.plan"), *tmp_path.glob("*.html")]
    pages = [str(read_page(path).rows).encode() for path in tmp_path.glob("*.html")]  # their lists are compressed
    return said + b"".join([*pages, *(path.read_bytes() for path in files if path.is_file())])
