"""Layouts in the config: mistakes are reported where they are, and the examples of the documentation work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.actions.config_check import check_layouts
from orchestrator.cli.main import run
from orchestrator.config.loading import load_text
from orchestrator.config.model import LayoutRule
from orchestrator.errors import ConfigError
from orchestrator.records import Item
from tests.plan.worlds import moved, plain, plan, song

RULES = """\
locations: {library: /music}
layouts:
  - when: compilation
    template: "Compilations/{{ album }}/{{ title }}"
  - {when: "album is matching('live')", template: by-class}
  - template: default
"""
MISTAKES = [
    ("when: compilation", "when: compilatoin", 3, "layouts.0.when", "did you mean 'compilation'?"),
    ("when: compilation", "when: title == 'x'", 3, "layouts.0.when", "cannot use the track field 'title'"),
    ("{{ title }}", "{{ titel }}", 4, "layouts.0.template", "did you mean 'title'?"),
    ("{{ title }}", "{{ title | pda }}", 4, "layouts.0.template", "did you mean 'pad'?"),
    ("{{ title }}", "{{ title", 4, "layouts.0.template", "not a valid template"),
    ("is matching('live')", "is machting('live')", 5, "layouts.1.when", "did you mean 'matching'?"),
    ("by-class", "by-klass", 5, "layouts.1.template", "did you mean 'by-class'?"),
    ("default", "/{{ title }}", 6, "layouts.2.template", "relative to the target"),
    ("default", "default\nlayout: defualt", 7, "layout", "did you mean 'default'?"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "key", "says"), MISTAKES)
def test_a_mistake_is_reported_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, right: str, wrong: str, line: int, key: str, says: str
) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(RULES.replace(right, wrong))
    (tmp_path / "music").mkdir()
    for command in (["config", "validate"], ["plan", str(tmp_path / "music"), "--state-dir", str(tmp_path / "state")]):
        assert run([*command, "--config", str(file)]) == 2
        message = capsys.readouterr().err
        assert f"{file}:{line}: {key}: " in message
        assert says in message
        assert message.count("\n") == 1


def test_valid_rules_are_accepted(tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(RULES)
    assert run(["config", "validate", "--config", str(file)]) == 0


def test_a_layout_of_the_environment_is_reported_by_its_variable(tmp_path: Path) -> None:
    environment = {"MUSIC_ORCHESTRATOR_LAYOUT": "plexx"}
    with pytest.raises(ConfigError, match=r"^MUSIC_ORCHESTRATOR_LAYOUT: layout: .*'plex'"):
        check_layouts(load_text(b"layout: plex\n", tmp_path / "c.yaml", environment))


def test_the_examples_before_and_after_do_what_they_say() -> None:
    text = (Path(__file__).parents[2] / "docs" / "layouts.md").read_text(encoding="utf-8")
    examples = re.findall(r"<!-- example: (.*?) -->\n(.*?)(?=<!-- example|\n## )", text, re.DOTALL)
    assert len(examples) == 3
    for layout, below in examples:
        assert layout == "default" or f"```text\n{layout}\n```" in below
        rows = re.findall(r"^\| `(.*?)` \| (.*?) ?\| `(.*?)` \|$", below, re.MULTILINE)
        items = [_file(path, tags) for path, tags, _ in rows]
        assert moved(plan(items, layout=layout)) == {before: after for before, _, after in rows}


def _file(path: str, tags: str) -> Item:
    fields = dict(pair.split(" = ") for pair in tags.split(", ") if pair)
    numbers = {name: int(fields.pop(name)) for name in ("track", "disc") if name in fields}
    return song(path, **fields, **numbers) if fields else plain(path)


def test_the_rules_in_the_documentation_do_what_they_say() -> None:
    text = (Path(__file__).parents[2] / "docs" / "layouts.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(layouts:.*?)```", text, re.DOTALL)
    assert example is not None
    found = load_text(example[1].encode(), Path("layouts.md"), {})
    check_layouts(found)
    rules = tuple(LayoutRule(rule.template, rule.when) for rule in found.config.layouts)
    albums = {
        "Compilations/C/01 A - t.flac": {"album": "C", "compilation": True},
        "Live/A/1990-02-03 Hall/01 t.flac": {"album": "D", "release_type": "live", "venue": "Hall", "date": "1990-02-03"},
        "Classical/X/E/01 t.flac": {"album": "E", "genre": "Opera", "composer": "X"},
        "Vinyl years/A/F/01 t.flac": {"album": "F", "lossless": True, "date": "1988"},
        "A/G (2001)/01 t.flac": {"album": "G", "lossless": True, "date": "2001"},
        "Live/A/MTV Unplugged/01 t.flac": {"album": "MTV Unplugged"},
        "A/Showbiz/01 t.flac": {"album": "Showbiz"},
        "Loose/A/t.flac": {},
    }
    items = [song(f"{n}.flac", title="t", artist="A", track=1, **tags) for n, tags in enumerate(albums.values())]
    assert moved(plan(items, layouts=rules)) == {f"{n}.flac": new for n, new in enumerate(albums)}
