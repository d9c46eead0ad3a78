"""(l) The web page of a plan of 100,000 changes: written by `show --html`, and opened in Chromium.

    python -m benchmarks.report [--changes 100000]

- Writing: time and memory of `show FILE --html`, against `show FILE --json`, which reads the same plan and prints it.
- The page: its size, against that of the plan file.
- Opening it in Chromium without a window: when something is first seen, when all lists can be used, and the memory of the
  page's process after every folder was opened. Without the Debian packages `chromium` and `chromium-driver` this is left out.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import say
from orchestrator.plan.plan_file import write_plan
from tests.report.made import many
from tests.servers.browser import browser

MIB = 1024**2
OPEN_ALL = "[...document.querySelectorAll('button')].find((button) => button.textContent === 'Open all').click()"
FIRST_SEEN = "return performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=100_000)
    options = parser.parse_args()
    say(measure.machine())
    with measure.workspace() as folder:
        plan, page = folder / "a.plan", folder / "page.html"
        write_plan(many(options.changes), plan)
        show: list[str | Path] = [*measure.PROGRAM, "show", plan, "--state-dir", folder / "state"]
        printed = measure.must_run([*show, "--json"])
        written = measure.must_run([*show, "--html", page])
        say(f"  show --json  {printed.wall_s:6.1f} s {printed.peak_root_mb:6.0f} MB")
        say(f"  show --html  {written.wall_s:6.1f} s {written.peak_root_mb:6.0f} MB")
        measure.verdict("memory of --html against --json", written.peak_root_mb / printed.peak_root_mb, 1.2, at_least=False)
        say(f"  {page.stat().st_size / MIB:.1f} MiB; the plan file has {plan.stat().st_size / MIB:.1f} MiB")
        measure.verdict("size of the page", page.stat().st_size / MIB, 30, at_least=False, unit=" MiB")
        if shutil.which("chromedriver") is None:
            say("Chromium is missing: install chromium and chromium-driver to see how the page opens")
            return
        _open(page)


def _open(page: Path) -> None:
    with browser() as window:
        began = time.perf_counter()
        window.show(page)
        say(f"  all lists can be used after {time.perf_counter() - began:.1f} s")
        seen_s = window.run(FIRST_SEEN) / 1000
        window.run(OPEN_ALL)
        measure.verdict("first seen after", seen_s, 3, at_least=False, unit=" s")
        measure.verdict("memory of the page's process", window.memory() / MIB, 300, at_least=False, unit=" MiB")


if __name__ == "__main__":
    main()
