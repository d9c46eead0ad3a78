"""Chromium without a window, driven by Selenium through the system's chromedriver; and axe, which finds what shuts people out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_core_python.selenium import Axe
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

from tests.servers.process import system_program

SIZES = (390, 1024, 1600)
"""Widths of a telephone, a tablet and a desktop, in pixels."""
READY_S = 60


class Browser:
    """One window."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def show(self, page: Path, *, width: int = 1024, dark: bool = False) -> None:
        """Load a page, and wait until its lists are read."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": theme})
        self.driver.get(page.as_uri())
        self.wait("return document.documentElement.dataset.ready")

    def run(self, script: str, *arguments: Any) -> Any:
        """The result of a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str) -> Any:
        """Wait until a script gives something true."""
        return WebDriverWait(self.driver, READY_S, poll_frequency=0.02).until(lambda _: self.run(script))

    def errors(self) -> list[str]:
        """What the page reported since the last call, violations of its policy included."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def serious(self) -> list[str]:
        """What axe finds in the page that is serious or critical."""
        found = Axe().run(self.driver)["violations"]
        return [
            f"{one['id']}: {[node['html'] for node in one['nodes']][:3]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]

    def memory(self) -> int:
        """Bytes of memory of the largest page: what its process has for itself, and its share of what it has with others."""
        renderers = [one for one in self._processes() if b"--type=renderer" in one.joinpath("cmdline").read_bytes()]
        rollups = [one.joinpath("smaps_rollup").read_text() for one in renderers]
        return max(int(line.split()[1]) * 1024 for rollup in rollups for line in rollup.splitlines() if line.startswith("Pss:"))

    def _processes(self) -> Iterator[Path]:
        """All processes that the driver has started."""
        known = {self.driver.service.process.pid}  # type: ignore[union-attr]
        for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
            try:
                parent = int(process.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            except FileNotFoundError:
                continue
            if parent in known:
                known.add(int(process.name))
                yield process


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser; without Chromium the test is left out, and in CI it fails."""
    options = webdriver.ChromeOptions()
    options.binary_location = system_program("chromium", package="chromium")
    service = Service(system_program("chromedriver", package="chromium-driver"))
    for argument in (
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield Browser(driver)
    finally:
        driver.quit()
