"""Pages of plans, runs and libraries: complete, self-contained, and harmless however hostile their names are."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest

from orchestrator.errors import UsageError
from orchestrator.plan.model import Verb
from orchestrator.plan.music.statistics import collect
from orchestrator.report.html.changes import Result
from orchestrator.report.html.document import STATES, Document, Left
from orchestrator.report.html.page import write_page
from orchestrator.report.html.plan_page import plan_document
from orchestrator.report.html.run_page import RunFacts, run_document
from orchestrator.report.html.statistics_page import statistics_document
from tests.pages import Page, links_out, read_page
from tests.report.made import EVIL, duplicate_of, hostile_plan, operation, plan


def saved(document: Document, folder: Path) -> Page:
    write_page(document, folder / "page.html")
    assert [path.name for path in folder.iterdir()] == ["page.html"], "nothing is left beside it"
    return read_page(folder / "page.html")


def test_every_change_is_in_the_page(tmp_path: Path) -> None:
    temporary = ".music-orchestrator/tmp/0123456789abcdef0123"
    made = plan(
        operation("in/a.mp3", "A/B (1999)/01 a.mp3"),
        operation("beck/x.mp3", temporary),
        operation(temporary, "Beck/x.mp3"),
        operation(
            "b.mp3",
            "b.mp3",
            Verb.QUARANTINE,
            kept="A/b.flac",
            reason=duplicate_of("A/b.flac"),
        ),
        operation("c.jpg", "A/B (1999)/c.jpg", Verb.COPY),
    )
    page = saved(plan_document(made), tmp_path)
    changes = sorted(zip((row[1] for row in page.rows["o"]), page.files("before"), page.files("after"), strict=True))
    verbs = page.facts["verbs"]
    assert [(verbs[verb], "/".join(was), "/".join(becomes)) for verb, was, becomes in changes] == [
        ("move", "/m/beck/x.mp3", "/m/Beck/x.mp3"),
        ("move", "/m/in/a.mp3", "/m/A/B (1999)/01 a.mp3"),
        ("copy", "/m/c.jpg", "/m/A/B (1999)/c.jpg"),
        ("quarantine", "/m/b.mp3", "/m (quarantine)/b.mp3"),
    ]
    ((_, folder, name, size, why),) = page.rows["d"]
    assert (page.path(folder, name), size, why) == (
        ("/m", "A", "b.flac"),
        7,
        "same audio; kept because its bit rate is higher",
    )
    assert page.facts["states"] == []
    assert "2 tracks go to 2 folders" in page.text or "2 tracks go to 2 albums" in page.text
    assert "about 1 min 01 s" in page.text
    for sentence in ("2 files would go back", "1 file would come back from the quarantine", "1 copy would go to the quarantine"):
        assert sentence in page.text


def test_what_stays_stands_with_its_reason(tmp_path: Path) -> None:
    left = [Left("/m", f"in/{EVIL}", "untagged", f"no tags {EVIL}"), Left("/m", "", "closed", "no permission")]
    page = saved(plan_document(plan(**{"skipped.untagged": 1}), left, {"untagged": "tag it"}), tmp_path)
    assert [(code, "/".join(page.path(folder, name))) for _, code, folder, name, _ in page.rows["s"]][1] == ("closed", "/m/")
    assert page.facts["codes"]["untagged"] == {"title": "No usable tags", "remedy": "tag it"}
    assert "1 stays: no usable tags" in page.text


def test_what_a_run_did_stands_beside_each_change(tmp_path: Path) -> None:
    temporary = ".music-orchestrator/tmp/0123456789abcdef0123"
    names = [f"{number}.mp3" for number in range(6)]
    operations = [operation(f"in/{name}", f"A/{name}") for name in names]
    halves = operation("beck/x.mp3", temporary), operation(temporary, "Beck/x.mp3")
    made = plan(*operations, *halves)
    results = {
        operations[0].id: Result("done"),
        operations[1].id: Result("failed", "in/1.mp3: the disk is full"),
        operations[2].id: Result("failed", "in/2.mp3: the disk is full"),
        operations[3].id: Result("skipped", "it has changed"),
        operations[4].id: Result("half-way"),
        halves[0].id: Result("done"),
    }
    page = saved(run_document(RunFacts("20260101-000000-abcdef", "organize", made, results, [], ended=False)), tmp_path)
    states = {page.path(row[2], row[3])[-1]: STATES[row[8]] if len(row) > 8 else "not done" for row in page.rows["o"]}
    assert states == dict(
        zip([*names, "x.mp3"], ["done", "failed", "failed", "skipped", "half-way", "not done", "half-way"], strict=True)
    )
    assert "1 of 7 changes are done, 2 failed, 1 skipped, 2 half-way, 1 not done" in page.text
    (problems,) = page.facts["tables"]
    assert problems["rows"][0] == [["2", 2], "failed", "the disk is full", "/m/in/1.mp3"], "what is alike stands together"
    assert "1 file would go back" in page.text, "undo concerns what was done"


@pytest.mark.parametrize("kind", ["plan", "run", "statistics"])
def test_a_page_loads_nothing_and_runs_only_its_own_script(kind: str, tmp_path: Path) -> None:
    left = [Left(f"/m/{EVIL}", EVIL, EVIL, EVIL)]
    made = hostile_plan()
    made = msgspec.structs.replace(
        made, header=msgspec.structs.replace(made.header, source=f"/m/{EVIL}", target=EVIL, plan_id=EVIL)
    )
    results = {one.id: Result("failed", EVIL) for one in made.operations}
    document = {
        "plan": lambda: plan_document(made, left),
        "run": lambda: run_document(RunFacts(EVIL, EVIL, made, results, [(EVIL, EVIL)], True, EVIL, [(EVIL, EVIL, EVIL)]), left),
        "statistics": lambda: statistics_document(collect([]), EVIL, EVIL),
    }[kind]()
    page = saved(document, tmp_path)
    assert links_out(page) == []
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page.source)
    assert page.policy["default-src"] == "'none'"
    assert page.hashes == {"script": {page.policy["script-src"]}, "style": {page.policy["style-src"]}}
    assert [tag for tag, _ in page.elements].count("script") == 3, "facts, program and rows; none from a name"
    assert not [
        attributes for _, attributes in page.elements if any(name == "style" or name.startswith("on") for name in attributes)
    ]
    assert "img" not in {tag for tag, _ in page.elements}
    assert not set(page.source) & {"\x1b", "\u202e", "\u200b", "\ud800"}


def test_hostile_names_come_through_as_people_read_them(tmp_path: Path) -> None:
    made = hostile_plan()
    page = saved(plan_document(made), tmp_path)
    shown = {path[-1] for path in page.files("before")}
    assert len(shown) == len({one.src.path.rpartition("/")[2] for one in made.operations})
    assert {"$(touch PWNED).flac", '<>:"|?*.flac', "{{ 7 * 7 }}.flac", "line\\nfeed.flac"} <= shown


def test_a_page_replaces_the_one_before_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<!doctype html>before")
    document = plan_document(plan())

    def broken(_rows: object) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        write_page(msgspec.structs.replace(document, rows=broken), file)
    assert file.read_text() == "<!doctype html>before"
    mask = os.umask(0o027)
    try:
        saved(document, tmp_path)
    finally:
        os.umask(mask)
    assert file.stat().st_mode & 0o777 == 0o640
    with pytest.raises(UsageError, match="cannot write"):
        write_page(document, tmp_path / "nowhere" / "page.html")


def test_a_page_can_go_to_a_device() -> None:
    write_page(plan_document(plan()), Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


def test_many_changes_take_several_pieces(tmp_path: Path) -> None:
    names = [os.urandom(400).hex() for _ in range(2000)]
    page = saved(plan_document(plan(*(operation(f"in/{name}", f"A/{name}") for name in names))), tmp_path)
    assert [attributes.get("class") for _, attributes in page.elements].count("rows") > 1
    assert sorted(path[-1] for path in page.files("before")) == sorted(names)
