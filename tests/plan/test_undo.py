"""Undo: the reverse of the completed operations, and of nothing else."""

from __future__ import annotations

import unicodedata

import pytest

from orchestrator.errors import IntegrityError
from orchestrator.plan.model import Verb
from orchestrator.plan.planners.undo import plan_undo
from tests.plan.worlds import PretendStorage, plain, plan, song

SWAPPED = [
    song("A/X/01 One.mp3", title="Two", artist="A", album="X", track=2),
    song("A/X/02 Two.mp3", title="One", artist="A", album="X", track=1),
    song("a/x/03 three.mp3", title="Three", artist="A", album="X", track=3),
    plain("in/.DS_Store"),
    song("in/4.mp3", title="Four", artist="A", album="X", track=4),
]


def undo(done: list[object], header: object) -> object:
    return plan_undo(done, header, run_id="r1", tool_version="1", created="x")  # type: ignore[arg-type]


def test_every_interruption_can_be_undone() -> None:
    made = plan(SWAPPED)
    for count in range(len(made.operations) + 1):
        storage = PretendStorage.holding("/music", SWAPPED)
        before = storage.tree("/music")
        done = [storage._do(operation, "r1") for operation in made.operations[:count]]
        back = undo(done, made.header)
        storage.carry_out(back, run="r2")  # type: ignore[arg-type]
        assert storage.tree("/music") == before


def test_files_go_back_to_names_that_may_be_one_only_one_after_another() -> None:
    """A server that takes both Unicode forms for one name would overwrite the first file with the second."""
    forms = [unicodedata.normalize(form, "é/1.mp3") for form in ("NFC", "NFD")]
    items = [song(path, title=f"T{number}", artist="A", album="X", track=number) for number, path in enumerate(forms, 1)]
    made = plan(items)
    back = undo(PretendStorage.holding("/music", items).carry_out(made), made.header)
    operations = {one.dst.path: one for one in back.operations}  # type: ignore[attr-defined]
    waiting = [one for one in operations.values() if one.depends]
    assert [one.dst.path in forms for one in waiting] == [True]
    assert waiting[0].depends == tuple(operations[path].id for path in forms if path != waiting[0].dst.path)


def test_a_copy_is_undone_by_quarantine() -> None:
    items = [song("a.mp3", title="t", artist="A", album="X")]
    made = plan(items, target="/other", copy=True)
    storage = PretendStorage.holding("/music", items)
    back = undo(storage.carry_out(made), made.header)
    (operation,) = back.operations  # type: ignore[attr-defined]
    assert (operation.verb, operation.src.fs, operation.src.path) == (Verb.QUARANTINE, "/other", "A/X/t.mp3")


def test_nothing_done_is_nothing_to_undo() -> None:
    assert undo([], plan(SWAPPED).header).operations == ()  # type: ignore[attr-defined]


def test_the_second_step_of_a_rename_without_the_first_is_an_error() -> None:
    made = plan(SWAPPED)
    storage = PretendStorage.holding("/music", SWAPPED)
    done = [fact for fact in storage.carry_out(made) if not fact.operation.dst.path.startswith(".music-orchestrator/tmp")]
    with pytest.raises(IntegrityError, match="came from"):
        undo(list(done), made.header)
