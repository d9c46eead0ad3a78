"""The fields of classical music, as programs write their tags, and the preset for it."""

from __future__ import annotations

import pytest

from orchestrator.plan.music.layout_fields import track_fields
from orchestrator.records import Item
from orchestrator.track import Facts
from tests.plan.worlds import moved, plan, song, track

FIELDS = ("work", "movement", "movement_number", "movement_total", "conductor", "ensemble", "soloists")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            Facts(
                work=("Symphony No. 5",), movement=("Allegro con brio",), movement_number=("1",), movement_total=("4",),
                conductor=("Carlos Kleiber",), orchestra=("Wiener Philharmoniker",), performer=("Eve (soprano)", "Ann (piano)"),
            ),
            ("Symphony No. 5", "Allegro con brio", 1, 4, "Carlos Kleiber", "Wiener Philharmoniker", "Eve, Ann"),
        ),
        (Facts(movement=("II. Andante",), movement_number=("2/4",)), ("", "Andante", 2, 4, "", "", "")),
        (Facts(movement=("3. Scherzo",), movement_number=("III",)), ("", "Scherzo", 3, "", "", "", "")),
        (Facts(movement=("4 Seasons",), movement_number=("1",)), ("", "4 Seasons", 1, "", "", "", "")),
        (Facts(movement_number=("Finale",)), ("", "Finale", "", "", "", "", "")),
        (
            Facts(performer=("Berliner Philharmoniker (orchestra)", "Ann (violin)", "Bob (conductor)", "Ann (viola)")),
            ("", "", "", "", "Bob", "Berliner Philharmoniker", "Ann"),
        ),
        (Facts(ensemble=("Trio X",), performer=("Trio X", "Ann")), ("", "", "", "", "", "Trio X", "Ann")),
    ],
)  # fmt: skip
def test_the_fields(facts: Facts, expected: tuple[object, ...]) -> None:
    assert tuple(track_fields(track(facts=facts), FIELDS, {}).values()) == expected


def test_the_preset_keeps_an_album_together() -> None:
    def of(index: int, composer: str, facts: Facts, album: str) -> Item:
        return song(
            f"{album}/{index}.flac", title=f"t{index}", composer=composer, artist="Eve", album=album, track=index, facts=facts
        )

    kleiber = {"conductor": ("Kleiber",)}
    items = [
        of(1, "Beethoven", Facts(work=("Symphony No. 5",), movement=("Allegro",), movement_number=("1",), **kleiber), "Fifth"),
        of(2, "Beethoven", Facts(work=("Coriolan",), **kleiber), "Fifth"),
        of(1, "Bach", Facts(conductor=("Bob",)), "Encores"),
        of(2, "Brahms", Facts(), "Encores"),
    ]
    assert list(moved(plan(items, layout="classical")).values()) == [
        "Beethoven/Fifth [Kleiber]/01 Symphony No. 5 - 1. Allegro.flac",
        "Beethoven/Fifth [Kleiber]/02 Coriolan - t2.flac",
        "Eve/Encores/01 Bach - t1.flac",
        "Eve/Encores/02 Brahms - t2.flac",
    ]
