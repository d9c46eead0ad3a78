"""Many threads read the first files of a scan at once, and each finds that its parser is not imported yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.library import make_library

_READ_ALL_AT_ONCE = """
import importlib.abc, sys, threading, time
from pathlib import Path
from orchestrator.tags.reader import read_track

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.startswith(("mutagen", "orchestrator.tags.containers")):
            time.sleep(0.002)  # lets the other threads in between two imports

sys.meta_path.insert(0, Slow())
files = [(path.name, path.read_bytes()) for path in map(Path, sys.argv[1:])]
start = threading.Barrier(len(files))

def read(name, data):
    start.wait()
    reading = read_track(name, len(data), lambda offset, length: data[offset:offset + length])
    if reading.reason:
        print(name, reading.reason, flush=True)

threads = [threading.Thread(target=read, args=file) for file in files]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_no_file_is_unreadable_because_its_parser_was_being_imported(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library", count=60, oddities=False, seed=3)
    kinds: dict[str, Path] = {}
    for path in sorted(library.tracks):
        kinds.setdefault(Path(path).suffix.lower(), tmp_path / "library" / path)
    assert len(kinds) > 3
    for _ in range(3):
        ended = subprocess.run(
            [sys.executable, "-c", _READ_ALL_AT_ONCE, *map(str, list(kinds.values()) * 2)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == (0, ""), ended.stdout + ended.stderr
