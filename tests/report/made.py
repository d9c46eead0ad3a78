"""Plans and statistics to make pages of."""

from __future__ import annotations

from orchestrator.plan.model import NUMBERED, Expect, Header, KeptCopy, Operation, Plan, Skipped, Verb, operation_id
from orchestrator.plan.music.statistics import collect
from orchestrator.records import Entry, Item, Ref
from orchestrator.report.html.document import Document
from orchestrator.report.html.statistics_page import statistics_document
from orchestrator.track import Reading, Status, Track
from tests.hostile import HOSTILE_NAMES, HOSTILE_TAGS
from tests.library import ARTISTS, WORDS

EVIL = "</script><script>document.title='PWNED'</script><img src=x onerror=alert(1)>\x1b[2J\n\u202e\u200b\ud800&amp;@@rows@@"
NAMES = [EVIL, *HOSTILE_NAMES, *(name.replace("/", "_").replace("\0", "") or "_" for name in HOSTILE_TAGS)]


def operation(
    src: str, dst: str, verb: Verb = Verb.MOVE, *, kept: str | None = None, reason: str = "layout", size: int = 5
) -> Operation:
    one, two = Ref("/m", src), Ref("/m", dst)
    expect = Expect() if kept is None else Expect(kept=KeptCopy("/m", kept, 7, tier="T1"))
    return Operation(operation_id(verb, one, two), verb, one, two, size, expect, reason, dst.rpartition("/")[0])


def plan(*operations: Operation, skipped: tuple[Skipped, ...] = (), **counts: int) -> Plan:
    header = Header(
        tool_version="0",
        created="2026-01-01T00:00:00+00:00",
        source="/m",
        target="/m",
        locations=("/m",),
        options={},
        config_sha256="",
        capabilities={},
        counts={"files": 3, "music": 2, **counts},
        estimate={"requests": 4, "bytes": 2048, "cost": 0.5, "seconds": 61},
        plan_id="abc",
    )
    return Plan(header, operations, skipped)


def hostile_plan() -> Plan:
    """A move for each hostile name, and a duplicate."""
    moves = [operation(f"in/{name}.flac", f"{name}/{name} (1999)/01 {name}.flac") for name in NAMES[1:]]
    moves.append(operation(f"in/{EVIL}.flac", f"{EVIL}/01 2.flac", reason=f"{NUMBERED} 2 of {EVIL}.flac"))
    return plan(
        *moves, operation(f"x/{EVIL}", f"x/{EVIL}", Verb.QUARANTINE, kept=f"y/{EVIL}", reason=duplicate_of(EVIL)), numbered=1
    )


def duplicate_of(path: str) -> str:
    """The reason of a duplicate."""
    return f"same audio as {path}, which is kept because its bit rate is higher"


def many(number: int) -> Plan:
    """So many changes of a large library: a tenth are duplicates."""
    made = []
    for serial in range(number):
        album, track = divmod(serial, 12)
        artist, title = ARTISTS[album % 18], f"{WORDS[serial % len(WORDS)]} {WORDS[serial * 7 % len(WORDS)]}"
        folder, extension = f"{artist} {album // 90}/{title} ({1960 + album % 64})", "mp3" if album % 3 else "flac"
        new = f"{folder}/{track + 1:02} {title} {serial:x}.{extension}"
        old = f"incoming/{album % 97}/{serial:06} {title.lower()}.mp3"
        duplicate = serial % 10 == 9
        verb = Verb.QUARANTINE if duplicate else Verb.MOVE
        kept, reason = (new, duplicate_of(new)) if duplicate else (None, "layout")
        made.append(operation(old, old if duplicate else new, verb, kept=kept, reason=reason, size=4_000_000 + serial))
    return plan(*made)


def library() -> Document:
    """The page of a small library."""
    items = []
    for serial in range(2000):
        artist, album = ARTISTS[serial % 18], WORDS[serial // 18 % len(WORDS)]
        track = Track(
            title=(f"{WORDS[serial % len(WORDS)]}",),
            artist=(artist,),
            album=(album,),
            track=serial // 18 % 12 + 1,
            date=str(1960 + serial % 60) if serial % 7 else None,
            codec=("flac", "mp3", "aac", "opus")[serial % 4],
            lossless=serial % 4 == 0,
            bitrate=(900_000, 320_000, 192_000, 96_000)[serial % 4],
            duration_s=200.0,
        )
        status = Status.UNREADABLE if serial % 50 == 0 else Status.TAGGED
        items.append(
            Item(Entry(f"in/{artist}/{serial}.mp3", 5_000_000 + serial, None), Reading(status, track, reason="it is cut"))
        )
    return statistics_document(collect(items, {f"in/{ARTISTS[5]}/5.mp3": "T1"}), "gdrive:Music", "made now")
