"""(e) The cost of reading tags, format by format: requests and KiB a file for both policies, compared with the alternatives.

    python -m benchmarks.formats [--songs 12] [--no-mount]

The files are the realistic set of the tests (tests/audio_realistic.py): 3 to 10 minutes long, with pictures of 0, 300 KB, 1
MB and 8 MB after the texts and before them. A request is one range read through rclone; head and tail requested together are
one wave. The minimum is one request. With few requests, each file of the set is the first of an album (`--songs`) of songs
that differ in length and share one picture. They are read one after the other, as a scan does; "first song" is the first of
them. The average over a library weighs formats and pictures by how common they are (`LIBRARY`, `PICTURES`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import mutagen

from benchmarks import measure
from benchmarks.file_server import file_server
from benchmarks.measure import say
from benchmarks.servers import can_mount, counts, mount, write_config
from orchestrator.rclone.binary import find_rclone
from orchestrator.tags.album_hints import AlbumHints
from orchestrator.tags.policy import FEW_BYTES, FEW_REQUESTS, Policy
from orchestrator.tags.reader import read_track
from orchestrator.track import Status
from tests.audio_realistic import Sample, samples
from tests.servers.remotes import BUCKET
from tests.virtual_file import VirtualFile

KIB = 1024
LIBRARY = {
    "MP3": 415, "MP3 without ID3v2": 15, "FLAC": 230, "M4A, moov first": 75, "M4A, moov last": 75, "Ogg Vorbis": 50, "Opus": 40,
    "Speex": 2, "WAV": 15, "AIFF": 10, "DSF": 5, "DSDIFF": 3, "WMA": 30, "Monkey's Audio": 15, "WavPack": 15, "Musepack": 5,
    "TTA": 5,
}  # fmt: skip
"""Format -> files in a thousand, as in benchmarks/music.py."""
PICTURES = {0: 23, 300_000: 54, 1_000_000: 20, 8_000_000: 3}
"""Approximate bytes of the picture -> files in a hundred, as in benchmarks/music.py."""
IN_FRONT = {"FLAC": 2 / 17}
"""Share of pictures that come before the texts, as in other projects' test files."""
IN_FRONT_ELSEWHERE = 16 / 44
ONE_END = {"MP3", "FLAC", "M4A, moov first", "WMA"}
"""Formats that need only their head; the others take two ranges for any reader."""
_MOUNTED = (0, 1_000_000)
"""Picture sizes of the files that are read over the mount."""


class Cost(NamedTuple):
    """The cost of reading one file."""

    requests: float
    waves: float
    read: float


class Row(NamedTuple):
    """One file of the set, or the mean of its album."""

    sample: Sample
    size: float
    first_song: Cost
    """With few requests, for the first song of an album: no other song predicts what it needs."""
    few_requests: Cost
    few_bytes: Cost
    one_wave: float
    """Share of the album's files that are read in one wave, with few requests."""


def _cost(sample: Sample, content: VirtualFile, policy: Policy, album: AlbumHints) -> Cost:
    waves = 0

    def part(offset: int, length: int) -> bytes:
        return content[offset : offset + length]

    def read_range(offset: int, length: int) -> bytes:
        nonlocal waves
        waves += 1
        return part(offset, length)

    def read_ranges(ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        nonlocal waves
        waves += 1
        return [part(offset, length) for offset, length in ranges]

    reading = read_track(sample.name, len(content), read_range, policy, read_ranges=read_ranges, album=album)
    if reading.status is not Status.TAGGED:
        raise SystemExit(f"{sample.name}: {reading.reason}")
    return Cost(reading.requests, waves, reading.bytes_read)


def _row(sample: Sample, songs: int) -> Row:
    contents = [sample.song(number) for number in range(songs)]
    album = AlbumHints()
    few_requests = [_cost(sample, content, FEW_REQUESTS, album) for content in contents]
    few_bytes = _cost(sample, contents[0], FEW_BYTES, album)  # this policy makes no predictions
    one_wave = sum(cost.waves == 1 for cost in few_requests) / songs
    size = sum(map(len, contents)) / songs
    return Row(sample, size, few_requests[0], _average(few_requests), few_bytes, one_wave)


def _average(costs: list[Cost]) -> Cost:
    return Cost(*(sum(column) / len(costs) for column in zip(*costs, strict=True)))


def _weight(rows: list[Row], row: Row) -> float:
    """How many of a library's files are like this one."""
    sample = row.sample
    alike = [
        other
        for other in rows
        if other.sample.kind.format == sample.kind.format
        and (other.sample.cover_bytes, other.sample.cover_first) == (sample.cover_bytes, sample.cover_first)
    ]
    covers = {other.sample.cover_bytes for other in rows if other.sample.kind.format == sample.kind.format}
    share = PICTURES[sample.cover_bytes] / sum(PICTURES[cover] for cover in covers)
    in_front = IN_FRONT.get(sample.kind.format, IN_FRONT_ELSEWHERE)
    position = (in_front if sample.cover_first else 1 - in_front) if sample.cover_bytes else 1
    return LIBRARY[sample.kind.format] * share * position / len(alike)


def _mean(rows: Iterable[Row], of: Callable[[Row], float], weights: dict[str, float] | None = None) -> float:
    pairs = [(of(row), weights[row.sample.name] if weights else 1.0) for row in rows]
    return sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs)


def _over_mount(work: Path) -> dict[str, Cost]:
    """The requests that `mutagen.File` causes on S3 over rclone's mount, by format; bytes are what rclone read. Waves are 0."""
    root, point, binary = work / "served" / BUCKET, work / "mount", find_rclone(None)
    root.mkdir(parents=True)
    names: dict[str, list[str]] = {}
    for number, sample in enumerate(samples(_MOUNTED)):
        if not sample.cover_first:
            name = f"{number:03}.{sample.kind.extension}"
            sample.make().write(root / name)
            names.setdefault(sample.kind.format, []).append(name)
    costs = {}
    with file_server(root, 5) as (port, _):
        write_config(work / "rclone.conf", port)
        with mount(binary, work / "rclone.conf", point, work / "mount.log") as process:
            for kind, files in names.items():
                requests_before, read_before = counts(port), _bytes_read(process)
                for name in files:
                    try:
                        mutagen.File(point / name)
                    except mutagen.MutagenError:
                        say(f"  (mutagen cannot read a {kind} file of the set)")
                time.sleep(0.2)  # requests still under way belong to this format
                new = counts(port)
                requests = sum(new.get(key, 0) - requests_before.get(key, 0) for key in ("range", "get", "head"))
                costs[kind] = Cost(requests / len(files), 0, (_bytes_read(process) - read_before) / len(files))
    return costs


def _bytes_read(process: int) -> int:
    """Bytes that a process has read so far, from files and sockets."""
    return int(Path(f"/proc/{process}/io").read_text().split("rchar: ")[1].split()[0])


def _table(rows: list[Row], weights: dict[str, float], mounted: dict[str, Cost]) -> None:
    say("requests and KiB a file; the minimum is 1 request")
    say(f"{'':20}{'few requests':>22}{'first song':>15}{'few bytes':>15}{'download':>11}{'mutagen over a mount':>25}")
    columns = (
        ("req", 6),
        ("1 wave", 8),
        ("KiB", 8),
        ("req", 7),
        ("1 wave", 8),
        ("req", 7),
        ("KiB", 8),
        ("KiB", 11),
        ("req", 15),
        ("KiB", 10),
    )
    say(f"{'format':20}" + "".join(f"{name:>{width}}" for name, width in columns))
    for kind in dict.fromkeys(row.sample.kind.format for row in rows):
        _line(kind, [row for row in rows if row.sample.kind.format == kind], weights, mounted.get(kind))
    _line("a library", rows, weights, None)
    _line("all equal", rows, None, None)


def _line(name: str, rows: list[Row], weights: dict[str, float] | None, mounted: Cost | None) -> None:
    def mean(of: Callable[[Row], float]) -> float:
        return _mean(rows, of, weights)

    over = f"{mounted.requests:15.1f}{mounted.read / KIB:10,.0f}" if mounted else ""
    say(
        f"{name:20}{mean(lambda row: row.few_requests.requests):6.2f}{mean(lambda row: row.one_wave):8.0%}"
        f"{mean(lambda row: row.few_requests.read / KIB):8.0f}{mean(lambda row: row.first_song.requests):7.2f}"
        f"{mean(lambda row: row.first_song.waves == 1):8.0%}{mean(lambda row: row.few_bytes.requests):7.2f}"
        f"{mean(lambda row: row.few_bytes.read / KIB):8.0f}{mean(lambda row: row.size / KIB):11,.0f}{over}"
    )


def _misses(rows: list[Row]) -> None:
    """Print which formats take more requests than the ends they need, and with which pictures."""
    say("requests beyond the ends that a format needs, with few requests, by the size of the picture:")
    for kind in dict.fromkeys(row.sample.kind.format for row in rows):
        least = 1 if kind in ONE_END else 2
        found = []
        for cover in PICTURES:
            costs = [row for row in rows if (row.sample.kind.format, row.sample.cover_bytes) == (kind, cover)]
            more = _mean(costs, lambda row: row.few_requests.requests) - least if costs else 0.0
            if more > 0.005:
                found.append(f"{f'{cover / 1e6:g} MB' if cover else 'none'} {more:.2f}")
        if found:
            say(f"  {kind}: {', '.join(found)}")
    say("(pictures of 8 MB are too large for a first request; with up to 1 MB only the first song of an album takes more)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=12, help="songs in an album")
    parser.add_argument("--no-mount", action="store_true", help="do not compare with mutagen over a mount")
    options = parser.parse_args()
    rows = [_row(sample, options.songs) for sample in samples()]
    weights = {row.sample.name: _weight(rows, row) for row in rows}
    mounted: dict[str, Cost] = {}
    if options.no_mount:
        say("not compared with mutagen (--no-mount)")
    elif not can_mount():
        say("CANNOT COMPARE with mutagen: a mount needs /dev/fuse and fusermount3 (Debian package fuse3)")
    else:
        with measure.workspace() as work:
            mounted = _over_mount(work)
    _table(rows, weights, mounted)
    least = _mean(rows, lambda row: 1 if row.sample.kind.format in ONE_END else 2, weights)
    say(f"the minimum for a library is {least:.2f} requests a file: some formats need both ends")
    _misses(rows)
    large = [row for row in rows if row.sample.cover_bytes == 1_000_000]
    verdict = measure.verdict
    verdict("few requests, a library", _mean(rows, lambda row: row.few_requests.requests, weights), 1.3, at_least=False)
    one_wave = 100 * _mean(rows, lambda row: row.one_wave, weights)
    verdict("few requests, files of a library read in one wave", one_wave, 80, at_least=True, unit=" %")
    with_cover = _mean(large, lambda row: row.few_bytes.read / KIB, weights)
    verdict("few bytes, a library with covers of 1 MB", with_cover, 64, at_least=False, unit=" KiB")


if __name__ == "__main__":
    main()
