"""Which way `sync` goes: the same for every order of the words, and as `cloud.sync_mode` says where no direction is given."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import click
import pytest

from orchestrator.actions.session import Session, open_session
from orchestrator.actions.sync_direction import Way, sides_of, way_of
from orchestrator.cli.commands.sync import sync_command
from orchestrator.cli.main import application, run
from orchestrator.cli.options import take_record
from orchestrator.config.options.common import CommonOptions
from orchestrator.config.options.sync import SyncOptions
from orchestrator.errors import UsageError
from orchestrator.location import Location
from orchestrator.plan.planners.sync.records import Direction

HERE, ALSO_HERE, THERE, ALSO_THERE = "/home/music", "/home/other", "remote:music", "other:music"


def typed(*words: str) -> SyncOptions:
    values = sync_command.make_context("sync", [*words], **application.context_settings).params
    take_record(CommonOptions, values)
    return take_record(SyncOptions, values)


def location(text: str) -> Location:
    return Location(text, text)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_session(CommonOptions(config=str(config_with(tmp_path, "{}")), state_dir=str(tmp_path / "state"))) as opened:
        yield opened


def config_with(folder: Path, cloud: str) -> Path:
    file = folder / "config.yaml"
    same_server = "{type: s3, options: {provider: Other, endpoint: 'http://localhost:9'}}"
    file.write_text(f"remotes: {{same: {same_server}, other: {{type: memory}}}}\ncloud: {cloud}\n")
    return file


def outcome(session: Session, *words: str) -> tuple[str, str]:
    """From where to where changes go; ("both", "ways") or ("refused", why)."""
    try:
        options = typed(*words)
        sides = sides_of(options)
        direction = way_of(options, session, [location(side) for side in sides]).direction
    except click.UsageError as error:
        return "refused", error.format_message()
    except UsageError as error:
        return "refused", error.message
    if direction is Direction.BOTH:
        return "both", "ways"
    return sides if direction is Direction.A_TO_B else sides[::-1]


@pytest.mark.parametrize(("flag", "wanted"), [("--to-cloud", (HERE, THERE)), ("--to-local", (THERE, HERE))])
def test_every_order_of_the_words_goes_the_same_way(session: Session, flag: str, wanted: tuple[str, str]) -> None:
    for words in permutations([HERE, THERE, flag, "--delete"]):
        assert outcome(session, *words) == wanted, words
    for words in permutations([HERE, THERE, "--bidirectional"]):
        assert outcome(session, *words) == ("both", "ways"), words
    # B as the value of the direction, as in `sync LOCAL --to-cloud=URL`: it stands wherever the user writes it.
    for words in permutations([wanted[0], f"{flag}={wanted[1]}", "--conflict=newer"]):
        assert outcome(session, *words) == wanted, words
    assert outcome(session, flag, "--", HERE, THERE) == wanted


TABLE: list[tuple[tuple[str, ...], tuple[str, str]]] = [
    # Of two remotes or two folders, the first to the second; a named B is the second, wherever it stands.
    ((THERE, ALSO_THERE, "--to-cloud"), (THERE, ALSO_THERE)),
    ((THERE, "--to-cloud", ALSO_THERE), (THERE, ALSO_THERE)),
    (("--to-cloud", THERE, ALSO_THERE), (THERE, ALSO_THERE)),
    (("--to-cloud", ALSO_HERE, HERE), (ALSO_HERE, HERE)),
    (("--to-cloud=" + ALSO_THERE, THERE), (THERE, ALSO_THERE)),
    ((HERE, "--to-cloud=" + ALSO_HERE), (HERE, ALSO_HERE)),
    # Neither side is on this machine, or both are.
    ((THERE, ALSO_THERE, "--to-local"), ("refused", "--to-local needs one location on this machine")),
    (("--to-local", HERE, ALSO_HERE), ("refused", "--to-cloud carries changes from A to B")),
    # A direction that names where the files come from.
    ((THERE, "--to-cloud=" + HERE), ("refused", f"write `sync {THERE} {HERE} --to-cloud`")),
    (("--to-local=" + THERE, HERE), ("refused", f"write `sync {HERE} {THERE} --to-local`")),
    # Too many, too few, contradictions.
    ((HERE, THERE, "--to-cloud=" + ALSO_THERE), ("refused", "two locations")),
    ((HERE, THERE, ALSO_THERE, "--to-cloud"), ("refused", "unexpected extra argument")),
    ((HERE,), ("refused", "add the other one")),
    ((HERE, "--to-cloud"), ("refused", "add the other one")),
    ((HERE, "--to-cloud="), ("refused", "add the other one")),
    (("--to-cloud=" + THERE,), ("refused", "Missing argument")),
    ((HERE, THERE, "--to-cloud", "--to-local"), ("refused", "exclude each other")),
    ((HERE, "--to-cloud=" + THERE, "--bidirectional"), ("refused", "exclude each other")),
    ((HERE, THERE, "--delete"), ("refused", "--to-cloud or --to-local")),
    ((HERE, THERE, "--delete-after"), ("refused", "add --to-cloud or --to-local")),
    ((HERE, THERE, "--to-cloud", "--keep-names=a"), ("refused", "--keep-names is for a first sync both ways")),
    ((HERE, THERE, "--bidirectional", "--delete-after"), ("refused", "add --to-cloud or --to-local")),
    ((HERE, THERE, "--to-cloud", "--delete", "--delete-after"), ("refused", "exclude each other")),
    ((HERE, THERE), ("both", "ways")),
]


def test_two_remotes_named_sides_and_what_is_refused(session: Session) -> None:
    for words, wanted in TABLE:
        found = outcome(session, *words)
        if wanted[0] == "refused":
            assert found[0] == "refused", words
            assert wanted[1] in found[1], words
        else:
            assert found == wanted, words


def test_a_refused_direction_is_2_with_json_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([str(tmp_path)], [str(tmp_path), "--to-local", "--to-cloud=x:y"], [str(tmp_path), "a", "--conflict", "best"]):
        for more in ([], ["--json"]):
            assert run(["sync", *words, "--yes", "--state-dir", str(tmp_path / "state"), *more]) == 2, words
    assert capsys.readouterr().out.count('"type": "summary"') == 3


MODES: list[tuple[str, tuple[str, str], tuple[str, ...], Any]] = [
    ("sync_mode: upload", (HERE, "cloud:b/m"), (), Way(Direction.A_TO_B)),
    ("sync_mode: upload", ("cloud:b/m", HERE), (), Way(Direction.B_TO_A)),
    ("sync_mode: to-cloud", ("cloud:b/m", "other:m"), (), Way(Direction.B_TO_A)),
    ("sync_mode: download", ("cloud:b/m", "other:m"), (), Way(Direction.A_TO_B)),
    ("sync_mode: to-local", (HERE, "cloud:b/m"), (), Way(Direction.B_TO_A)),
    ("sync_mode: bidirectional", (HERE, "cloud:b/m"), (), Way(Direction.BOTH)),
    # The same bucket under the name of another remote.
    ("sync_mode: upload", (HERE, "same:b/m"), (), Way(Direction.A_TO_B)),
    # Other locations, and a direction that is given.
    ("sync_mode: upload", (HERE, "other:m"), (), Way(Direction.BOTH)),
    ("sync_mode: upload", (HERE, ALSO_HERE), (), Way(Direction.BOTH)),
    ("sync_mode: upload", (HERE, "cloud:b/m"), ("--to-local",), Way(Direction.B_TO_A)),
    ("sync_mode: upload", (HERE, "cloud:b/m"), ("--bidirectional",), Way(Direction.BOTH)),
    ("sync_mode: upload", ("cloud:b/m", "cloud:b/n"), (), "no direction"),
    ("sync_mode: upload, delete_after_sync: true", (HERE, "cloud:b/m"), (), Way(Direction.A_TO_B, delete_after=True)),
    ("delete_after_sync: true", (HERE, "cloud:b/m"), ("--to-cloud",), Way(Direction.A_TO_B, delete_after=True)),
    ("delete_after_sync: true", (HERE, "other:m"), (), Way(Direction.BOTH)),
    ("delete_after_sync: true", (HERE, "cloud:b/m"), (), "delete_after_sync"),
    ("sync_mode: upload, delete_after_sync: true", (HERE, "cloud:b/m"), ("--delete",), "delete_after_sync"),
    ("sync_mode: upload, delete_after_sync: true", (HERE, "cloud:b/m"), ("--bidirectional",), "delete_after_sync"),
]


def test_the_config_says_the_direction_for_its_cloud(tmp_path: Path) -> None:
    for said, sides, words, wanted in MODES:
        config = config_with(tmp_path, f"{{provider: s3, options: {{provider: Other, endpoint: 'http://localhost:9'}}, {said}}}")
        with open_session(CommonOptions(config=str(config), state_dir=str(tmp_path / "state"))) as opened:
            try:
                found: Any = way_of(typed(*sides, *words), opened, opened.locations(*sides))
            except UsageError as error:
                found = error.message
            assert wanted in found if isinstance(wanted, str) else found == wanted, (said, sides, words, found)
