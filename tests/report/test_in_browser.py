"""The pages in Chromium: what a person clicks, types and hears, and what hostile names cannot do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from orchestrator.report.html.changes import Result
from orchestrator.report.html.document import Document, Left
from orchestrator.report.html.page import write_page
from orchestrator.report.html.plan_page import plan_document
from orchestrator.report.html.run_page import RunFacts, run_document
from tests.hostile import HOSTILE_NAMES
from tests.report.made import EVIL, hostile_plan, library, many, plan
from tests.servers.browser import SIZES, Browser, browser

OPERATIONS = 100_000
MIB = 1024**2


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def saved(document: Document, folder: Path) -> Path:
    write_page(document, folder / "page.html")
    return folder / "page.html"


def rows(window: Browser, view: str = "changes") -> list[str]:
    """The rows in view, as they are read aloud."""
    found = window.run(f"return [...document.querySelectorAll('[data-view={view}] .row')].map((row) => row.innerText)")
    return [" ".join(row.split()) for row in found]


def test_search_filters_and_keys_find_changes_and_hostile_names_do_nothing(window: Browser, tmp_path: Path) -> None:
    made = hostile_plan()
    left = [Left("/m", f"in/{EVIL}", "untagged", EVIL)]
    window.show(saved(plan_document(made, left), tmp_path))
    status = "return document.querySelector('[data-view=changes] .status').textContent"
    number = len(made.operations)
    assert window.run(status) == f"{number} changes"

    search = window.driver.find_element(By.CSS_SELECTOR, "[data-view=changes] input[type=search]")
    search.send_keys("ÉMOJI flac")
    window.wait(f"{status} === '1 of {number} changes'")
    assert any("01 emoji 🎵.flac ← from in/emoji 🎵.flac" in row for row in rows(window))
    search.clear()
    search.send_keys("x")
    search.send_keys(Keys.BACKSPACE)
    window.wait(f"{status} === '{number} changes'")

    moves, _ = window.driver.find_elements(By.CSS_SELECTOR, "[data-view=changes] fieldset input")
    moves.click()
    assert window.run(status) == f"1 of {number} changes"
    assert any("quarantine" in row for row in rows(window))
    moves.click()
    before = window.driver.find_element(By.XPATH, "//button[text()='Before']")
    before.click()
    assert before.get_attribute("aria-pressed") == "true"

    tree = window.driver.find_element(By.CSS_SELECTOR, "[data-view=changes] .tree")
    tree.send_keys(Keys.HOME, Keys.ARROW_LEFT)
    active = "document.getElementById(document.querySelector('[data-view=changes] .tree').getAttribute('aria-activedescendant'))"
    assert window.run(f"return {active}.getAttribute('aria-expanded')") == "false"
    assert len(rows(window)) == 1
    tree.send_keys(Keys.ARROW_RIGHT, Keys.END, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert window.run(f"return {active}.getAttribute('aria-level')") != "1"
    detail = window.run("return document.querySelector('[data-view=changes] .detail').innerText")
    assert "From" in detail
    assert "To" in detail
    assert len(rows(window, "duplicates") + rows(window, "stays")) > 0

    (find,) = window.driver.find_elements(By.CSS_SELECTOR, "button.find")
    find.click()
    window.wait(f"{status} === '1 of {number} changes'")

    assert "PWNED" not in window.driver.title.partition("<script>")[0]
    assert window.run("return document.querySelectorAll('img, iframe, main script').length") == 0
    assert window.errors() == []
    assert window.serious() == []
    window.driver.find_element(By.ID, "theme").click()
    assert window.run("return getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert window.serious() == []


def test_tables_are_searched_and_sorted(window: Browser, tmp_path: Path) -> None:
    window.show(saved(library(), tmp_path))
    first = "document.querySelector('#artist tbody tr').innerText.split(/\\s*[\\t\\n]\\s*/)"
    shown = []
    for _ in range(3):
        window.driver.find_element(By.XPATH, "//section[@id='artist']//button[text()='Size']").click()
        shown.append(window.run(f"return {first}")[4])
    assert shown == ["534.2 MiB", "505.5 MiB", "534.2 MiB"]
    window.driver.find_element(By.CSS_SELECTOR, "#artist input[type=search]").send_keys("bjork")
    window.wait("return document.querySelectorAll('#artist tbody tr').length === 1")
    assert window.run(f"return {first}[0]") == "Björk Ólafsdóttir"
    assert window.errors() == []


@pytest.mark.nightly
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("kind", ["plan", "run", "library", "empty"])
def test_every_page_fits_each_size_and_shuts_nobody_out(
    window: Browser, tmp_path: Path, kind: str, width: int, dark: bool
) -> None:
    made = many(3000)
    states = ("done", "failed", "skipped", "half-way")
    results = {one.id: Result(states[number % 4], f"because of {number % 3}") for number, one in enumerate(made.operations)}
    left = [Left("/m", f"in/{name}/{name}", "untagged", "no tags") for name in HOSTILE_NAMES]
    document = {
        "plan": lambda: plan_document(made, left),
        "run": lambda: run_document(RunFacts("1", "organize", made, results, [], True, None, [("requests", "1", "2")]), left),
        "library": library,
        "empty": lambda: plan_document(plan()),
    }[kind]()
    window.show(saved(document, tmp_path), width=width, dark=dark)
    assert window.errors() == []
    assert window.run("return document.documentElement.scrollWidth") <= width, "nothing is cut at the right"
    assert window.serious() == []
    if shots := os.environ.get("SCREENSHOTS"):
        window.driver.save_screenshot(str(Path(shots) / f"{kind}-{width}-{'dark' if dark else 'light'}.png"))


@pytest.mark.nightly
def test_a_hundred_thousand_changes_are_shown_at_once(tmp_path: Path) -> None:
    file = saved(plan_document(many(OPERATIONS)), tmp_path)
    with browser() as window:  # its own: the memory of pages shown before is freed late
        window.show(file)
        painted_ms = window.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
        drawn = window.run("return document.querySelectorAll('.row').length")
        window.driver.find_element(By.XPATH, "//button[text()='Open all']").click()
        window.driver.find_element(By.CSS_SELECTOR, "[data-view=changes] .tree").send_keys(Keys.END)
        assert window.wait("return document.querySelector('.row.file')?.innerText")
        assert window.memory() < 300 * MIB
    assert painted_ms < 3000
    assert file.stat().st_size < 30 * MIB
    assert drawn < 100
