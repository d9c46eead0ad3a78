"""A plan without operations is remembered, and counts as long as nothing changes that it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from orchestrator.actions import known_plans
from orchestrator.actions.known_plans import FOLDER, organize_plan
from orchestrator.plan.model import Plan
from orchestrator.plan.planners.organize.planner import plan_organize
from orchestrator.plan.planners.organize.request import OrganizeRequest, OrganizeSettings
from orchestrator.records import Item, Ref
from tests.plan.worlds import LOCAL, plain, song, unreadable

ITEMS = [
    song("Ann/Blue/1 A.mp3", title="A", artist="Ann", album="Blue", track=1),
    unreadable("Ann/Blue/2 B.mp3"),
    plain("Ann/Blue/cover.jpg"),
]
LAYOUT = "{{ albumartist }}/{{ album }}/{{ track }} {{ title }}"


def request(items: list[Item] = ITEMS, **fields: Any) -> OrganizeRequest:
    made = OrganizeRequest(
        source_fs="/music",
        target_fs="/music",
        items=items,
        source_capabilities=LOCAL,
        target_capabilities=LOCAL,
        elsewhere=frozenset({"/b", "/a"}),
        options=OrganizeSettings(layout=LAYOUT),
        tool_version="1",
        created="2026-01-01T00:00:00Z",
    )
    return replace(made, **fields)


def remembered(state: Path) -> list[Path]:
    return [*state.glob(f"{FOLDER}/*")]


def mark(state: Path) -> None:
    """Make the remembered plan another one than the planner would make."""
    (file,) = remembered(state)
    known = msgspec.msgpack.decode(file.read_bytes())
    known["plan"]["skipped"] = []
    file.write_bytes(msgspec.msgpack.encode(known))


def is_marked(made: Plan) -> bool:
    assert not made.operations
    return not made.skipped


def test_the_plan_is_the_one_that_would_be_made(tmp_path: Path) -> None:
    first = organize_plan(request(), tmp_path)
    again = request(created="2026-01-02T00:00:00Z")
    assert first == plan_organize(request())
    assert organize_plan(again, tmp_path) == plan_organize(again) != first
    mark(tmp_path)
    assert is_marked(organize_plan(again, tmp_path)), "it is not made again"


@pytest.mark.parametrize(
    "fields",
    [
        {"items": ITEMS[1:]},
        {"items": [song("Ann/Blue/1 A.mp3", title="A", artist="Ann", album="Blue", track=1, genre="Jazz"), *ITEMS[1:]]},
        {"options": OrganizeSettings(layout=LAYOUT, names="target")},
        {"elsewhere": frozenset({"/a"})},
        {"left": frozenset({Ref("/music", "nowhere"), Ref("/music", "nowhere", "id")})},
        {"foreign_folders": ["@eaDir"]},
        {"source_capabilities": replace(LOCAL, case_insensitive=True)},
        {"config_sha256": "1"},
        {"tool_version": "2"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_whatever_the_plan_is_made_from_makes_another_one(tmp_path: Path, fields: dict[str, Any]) -> None:
    organize_plan(request(), tmp_path)
    mark(tmp_path)
    changed = request(**fields)
    assert organize_plan(changed, tmp_path) == plan_organize(changed)


def test_an_update_of_the_program_makes_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "orchestrator"
    (code / "plan").mkdir(parents=True)
    (code / "__init__.py").touch()
    (code / "plan" / "planner.py").write_text("old")
    monkeypatch.setattr(known_plans.orchestrator, "__file__", str(code / "__init__.py"))
    organize_plan(request(), tmp_path)
    mark(tmp_path)
    assert is_marked(organize_plan(request(), tmp_path))
    (code / "plan" / "planner.py").write_text("new code")
    assert not is_marked(organize_plan(request(), tmp_path))


def test_a_plan_with_operations_is_not_remembered(tmp_path: Path) -> None:
    to_move = request([song("x.mp3", title="A", artist="Ann", album="Blue", track=1)])
    assert organize_plan(to_move, tmp_path).operations
    assert not remembered(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"\x82\xa9made_from\xc4\x00\xa4plan\xa1\xff"], ids=["empty", "no record", "no text"]
)
def test_a_damaged_memory_is_none(tmp_path: Path, content: bytes) -> None:
    made = organize_plan(request(), tmp_path)
    (file,) = remembered(tmp_path)
    file.write_bytes(content)
    assert organize_plan(request(), tmp_path) == made
    mark(tmp_path)
    assert is_marked(organize_plan(request(), tmp_path)), "it was written again"
