"""Makes the small messy library of `scripts/demo`: tagged audio files in several formats, with messy names."""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.track import Track
from tests.audio import make_track, picture


def track(title: str, artist: str, album: str, number: int, year: str, **more: object) -> Track:
    """Tags as most files have them; `more` adds or replaces some."""
    fields = {"album_artist": (artist,), "artist": (artist,)} | more
    return Track(title=(title,), album=(album,), track=number, date=year, **fields)  # type: ignore[arg-type]


FILES: tuple[tuple[str, str, Track], ...] = (
    ("Downloads/track01.mp3", "mp3", track("Come In", "The Lanterns", "First Light", 1, "1997")),
    ("Downloads/track01 (1).mp3", "mp3", track("Paper Moon", "The Lanterns", "First Light", 2, "1997")),
    ("from phone/lanterns - 3.m4a", "m4a", track("Harbour", "The Lanterns", "First Light", 3, "1997")),
    ("Björk_Ólafsdóttir-vetur-01.flac", "flac", track("Vetur", "Björk Ólafsdóttir", "Ísland", 1, "2004")),
    ("new/02_sumar.flac", "flac", track("Sumar", "Björk Ólafsdóttir", "Ísland", 2, "2004")),
    ("new/AC BC.ogg", "ogg", track("Low Voltage?", "AC/BC", "Live: At Home", 7, "1979")),
    ("mixtape/A1.opus", "opus", track("Night Train", "Ночной Поезд", "Road Songs", 1, "2011", album_artist=(), compilation=True)),
    ("mixtape/A2.opus", "opus", track("Glass", "Mika Shiina", "Road Songs", 2, "2011", album_artist=(), compilation=True)),
    ("box/cd1/1.mp3", "mp3", track("Overture", "Zoë Carrington", "Two Rooms", 1, "2019", disc=1, disc_total=2)),
    ("box/cd2/1.mp3", "mp3", track("Finale", "Zoë Carrington", "Two Rooms", 1, "2019", disc=2, disc_total=2)),
)


def main(root: Path) -> None:
    """Write the music folder."""
    for serial, (path, audio_format, tags) in enumerate(FILES, 1):
        make_track(root / path, audio_format, tags, serial=serial)
    make_track(root / "Downloads/unknown.mp3", "mp3", None, serial=99)
    (root / "Downloads/vetur (copy).flac").write_bytes((root / FILES[3][0]).read_bytes())
    (root / "box/cd1/cover.jpg").write_bytes(picture(2000))
    (root / "from phone/lanterns - 3.lrc").write_text("[00:00.10] Harbour lights\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
