"""(c) Organizing 5,000 small files on a local disk, against `beet import -A` in move mode on the same files.

    python -m benchmarks.organize [--files 5000] [--rounds 2]

beets is installed from PyPI into a virtual environment of its own. Both move by renaming on one disk; beets fills its
library database, we fill the catalogue and the journal, and verify every move. Whole processes are timed, including their
start. They take turns, and the best time of each counts.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import venv
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import say
from orchestrator.rclone.binary import find_rclone
from tests.audio import make_many


def _beets(work: Path) -> Path:
    """Install beets; return the path of its `beet` command."""
    home = work / "beets"
    venv.create(home, with_pip=True)
    subprocess.run([home / "bin" / "python", "-m", "pip", "install", "--quiet", "beets"], check=True)
    return home / "bin" / "beet"


def _beet_import(beet: Path, source: Path, work: Path) -> measure.Usage:
    home, library = work / "beets-home", work / "beets-library"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    settings = {
        "directory": str(library),
        "library": str(home / "library.db"),
        "plugins": [],
        "import": {"move": True, "copy": False, "write": False, "log": None},
        "paths": {"default": "$albumartist/$album ($year)/$track $title"},
    }
    (home / "config.yaml").write_text(json.dumps(settings))
    usage = measure.must_run([beet, "import", "-A", "-q", source], environment={"BEETSDIR": str(home)})
    _check(library, source)
    shutil.rmtree(library)
    return usage


def _organize(source: Path, target: Path, work: Path) -> measure.Usage:
    """`organize SOURCE [TARGET --move]`, in place if both are the same."""
    state = work / "state"
    locations = [source] if source == target else [source, target, "--move"]
    usage = measure.must_run([*measure.PROGRAM, "organize", *locations, "--yes", "--json", "--state-dir", state])
    summary = json.loads(usage.output.strip().splitlines()[-1])
    assert summary["exit_code"] == 0, summary
    assert summary["ops_done"] == summary["ops_planned"] > 0, summary
    _check(target, source if source != target else None)
    shutil.rmtree(state)
    return usage


_expected = 0


def _check(target: Path, source: Path | None) -> None:
    found = sum(1 for path in target.rglob("*.mp3") if ".music-orchestrator" not in path.parts)
    left = sum(1 for _ in source.rglob("*.mp3")) if source is not None and source.exists() else 0
    if (found, left) != (_expected, 0):
        raise SystemExit(f"{found} files in {target}, {left} left in {source}: expected {_expected} and 0")


def main() -> None:
    global _expected  # noqa: PLW0603 - one number for the whole script
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    _expected = options.files
    say(f"{measure.machine()}, rclone {find_rclone(None).version}, {options.files} files")
    with measure.workspace() as work:
        beet = _beets(work)
        home = {"BEETSDIR": str(work / "beets-home")}
        words = measure.must_run([beet, "version"], environment=home).output.split()
        version = f"beets {words[words.index('version') + 1]} import -A"
        times: dict[str, list[measure.Usage]] = {}
        for _ in range(options.rounds):
            for name in (version, "organize in place", "organize to another directory"):
                source = work / "source"
                shutil.rmtree(source, ignore_errors=True)
                make_many(source, options.files)
                if name == version:
                    usage = _beet_import(beet, source, work)
                else:
                    usage = _organize(source, source if name.endswith("place") else work / "target", work)
                    shutil.rmtree(work / "target", ignore_errors=True)
                times.setdefault(name, []).append(usage)
        best = {name: min(usages, key=lambda usage: usage.wall_s) for name, usages in times.items()}
        for name, usage in best.items():
            say(
                f"  {name}: {usage.wall_s:.2f} s = {options.files / usage.wall_s:.0f} files/s, "
                f"{usage.peak_root_mb:.0f} MB at peak ({usage.peak_tree_mb:.0f} MB with its children)"
            )
        ours = best["organize in place"]
        ratio = best[version].wall_s / ours.wall_s
        measure.verdict("organize in place against beet import -A", ratio, 3, at_least=True, unit=" times")
        ratio = best[version].wall_s / best["organize to another directory"].wall_s
        say(f"        to another directory: {ratio:.2f} times")
        memory = max(usage.peak_root_mb for usage in times["organize in place"])
        measure.verdict("the Python process", memory, 150, at_least=False, unit=" MB")


if __name__ == "__main__":
    main()
