"""Damage of every kind, done to files of every format: the input for fuzzing. The same seed and name give the same file."""

from __future__ import annotations

from functools import cache
from random import Random

from orchestrator.track import Track
from tests.audio import FORMATS, track_bytes
from tests.audio_realistic import KINDS, Cover, picture
from tests.tags.ranges import corpus, corpus_files
from tests.virtual_file import Repeat, VirtualFile

_TRACK = Track(title=("One",), artist=("Two", "Too"), album=("Three",), track=4, date="2005", release_type=("live",))
_INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40)
_MOST_GROWTH = 512 * 1024
_MOST_OF_A_FILE = 512 * 1024
_SOUND = Repeat(Random(1).randbytes(4096), 0)


@cache
def sources(*, with_corpus: bool) -> tuple[tuple[str, bytes], ...]:
    """Name and content of the files to damage: short files of all formats, and other projects' test files if there are any."""
    found = []
    for cover in (0, 3_000, 60_000):
        for name, small in FORMATS.items():
            found.append((f"{name}.{small.extension}", track_bytes(name, _TRACK, cover_bytes=cover, seconds=1)))
        for kind in KINDS:
            pieces = kind.make(0.5, 1, Cover(picture(cover), first=cover == 3_000))
            found.append((f"{kind.format} {kind.variant}.{kind.extension}", VirtualFile(pieces)[:]))
    folder = corpus() if with_corpus else None
    if folder is not None:
        found += [(line["path"], content[:_MOST_OF_A_FILE]) for line, content in corpus_files(folder)]
    return tuple(found)


def _position(random: Random, length: int) -> int:
    """A position, usually among the headers."""
    share = random.random()
    if share < 0.55:
        return random.randrange(min(length, 512) + 1)
    if share < 0.75:
        return random.randrange(min(length, 16384) + 1)
    if share < 0.9:
        return length - random.randrange(min(length, 512) + 1)
    return random.randrange(length + 1)


def _mutate(random: Random, content: bytearray, donors: tuple[tuple[str, bytes], ...]) -> None:
    at = _position(random, len(content))
    kind = random.randrange(9)
    if kind == 0:
        content[at : at + 8] = random.randbytes(random.randint(1, 8))
    elif kind in (1, 2):
        width = random.choice((1, 2, 3, 4, 4, 4, 8))
        value = random.choice((*_INTERESTING, len(content), len(content) - at)) % (1 << 8 * width)
        content[at : at + width] = value.to_bytes(width, random.choice(("big", "little")))
    elif kind == 3 and at < len(content):
        content[at] ^= 1 << random.randrange(8)
    elif kind == 4:
        del content[at : at + random.choice((1, 2, 4, 10, 100, 5000))]
    elif kind == 5:
        content[at:at] = random.choice((bytes(1), b"\0A", b"\xff", b"A")) * random.choice((1, 4, 100, 10_000, 100_000))
    elif kind == 6:
        part = bytes(content[at : at + random.choice((1, 4, 10, 12, 20, 50, 500))])
        times = random.choice((1, 10, 1000, 50_000))
        content[at:at] = part * min(times, _MOST_GROWTH // max(1, len(part)))
    elif kind == 7:
        del content[at:]
    else:
        other = random.choice(donors)[1]
        start = _position(random, len(other))
        content[at:at] = other[start : start + random.choice((10, 100, 2000))]


def mutated(seed: int, *, with_corpus: bool) -> tuple[str, VirtualFile]:
    """A damaged file; half of them are as long as real ones, because sound is inserted somewhere."""
    random = Random(seed)
    donors = sources(with_corpus=with_corpus)
    name, original = random.choice(donors)
    content = bytearray(original)
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        _mutate(random, content, donors)
    if random.random() < 0.02:
        name = random.choice(donors)[0]
    if random.random() < 0.5:
        return name, VirtualFile([bytes(content)])
    at = len(content) if random.random() < 0.5 else _position(random, len(content))
    filler = random.choice((_SOUND, Repeat(bytes(4096), 0), Repeat(b"\xff\xfb\x90\x00" + bytes(413), 0)))
    size = random.choice((100_000, 3_000_000, 100_000_000, 1 << 33))
    return name, VirtualFile([bytes(content[:at]), filler._replace(size=size), bytes(content[at:])])
