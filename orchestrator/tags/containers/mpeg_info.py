"""The first frame of MPEG audio: encoders store the length of the sound in it, and some its checksum.

- Xing or Info, with LAME's or Lavc's extension: frames, bytes, seek table, music length, CRC-16 of the music, CRC-16 of the frame
  itself. Together with 4 KiB of the sound they are unique; the music length is exact, and every cut file is shorter.
- Xing or Info alone, VBRI: frames, bytes, seek table. Not exact to the byte: some encoders count their own frame, some do not.

A stream without any of them has no identity: its length is known only at the other end of the file, which we rarely need to read.
"""

from __future__ import annotations

from orchestrator.tags.audio_identity import digest, distinctive, window
from orchestrator.tags.frames.mpeg import mpeg_size
from orchestrator.tags.parsed import Parsed
from orchestrator.tags.sparse import SparseFile
from orchestrator.tags.trailers import LOOKS_AT, sound_end
from orchestrator.track import AudioIdentity, Strength

_FRAME = 512
"""The extension ends at most 191 bytes into the frame, as does a VBRI table of 100 entries."""
_LOOK_FROM, _LOOK = 4096, 4096
_LEAST = 192
"""Deflated, 4 KiB of LAME's silent frames take up to 140 bytes; 4 KiB of music take over 3,500."""
_TOLERANCE = 4096
"""More than one frame: encoders differ in whether the byte count includes the first one."""
_MORE = 16 * 1024
"""One second at 128 kbit/s."""
_FRAMES, _BYTES, _TOC, _QUALITY = 1, 2, 4, 8
_FIRST_FRAMES, _HEADER = 4, 4
_WRITERS = (b"LAME", b"Lavc", b"Lavf", b"L3.9")


def look_at_first_frame(file: SparseFile, start: int, parsed: Parsed) -> None:
    """Add to `parsed` what the first frame (at `start`) says about the whole sound."""
    frame = window(file, start, _FRAME)
    at = max(frame.find(b"Xing", 0, 64), frame.find(b"Info", 0, 64))
    if at >= 0:
        _look_at_xing(file, start, frame, at, parsed)
    elif frame[36:40] == b"VBRI":
        stated = _number(frame, 46)
        _check(file, start, stated - _TOLERANCE, parsed)
        _forget_length_if(parsed, _goes_on(file, start + stated))
        size = _number(frame, 54, 2) * _number(frame, 58, 2)
        parsed.identity = _by_table("vbri", frame[46 : 62 + size], _sound(file, start, stated))
    else:
        _forget_length_if(parsed, _varies(file, start))


def _look_at_xing(file: SparseFile, start: int, frame: bytes, at: int, parsed: Parsed) -> None:
    flags, position = _number(frame, at + 4), at + 8
    place = {}
    for flag, size in ((_FRAMES, 4), (_BYTES, 4), (_TOC, 100), (_QUALITY, 4)):
        if flags & flag:
            place[flag] = position
            position += size
    stated = _number(frame, place[_BYTES]) if _BYTES in place else 0
    lame = frame[position : position + 36]
    music_length = _number(lame, 28) if lame[:4] in _WRITERS else 0
    _check(file, start, music_length or stated - _TOLERANCE, parsed)
    goes_on = bool(stated) and _goes_on(file, start + (music_length or stated))
    uncounted = frame[at : at + 4] == b"Xing" and not (_FRAMES in place and _number(frame, place[_FRAMES]))
    _forget_length_if(parsed, goes_on or uncounted)
    if not {_FRAMES, _BYTES, _TOC} <= place.keys():
        return  # these fields form the tuple
    frames, toc = _number(frame, place[_FRAMES]), frame[place[_TOC] :][:100]
    sound = _sound(file, start, music_length or stated)
    music_crc, tag_crc = lame[32:34], lame[34:36]
    if not sound:
        return  # it could not be read
    if music_length and any(music_crc):
        if goes_on:
            return
        # In a large library, 16-bit checksums agree by chance; a piece of the sound (read anyway) does not.
        value = f"{music_length}:{music_crc.hex()}:{frames}:{tag_crc.hex()}:{digest(toc, sound)[:16]}"
        strength = Strength.STRONG if distinctive(sound, _LEAST) else Strength.HINT
        parsed.identity = AudioIdentity("lame", value, strength)
    else:
        parsed.identity = _by_table("xing", frame[place[_FRAMES] :][:108], sound)


def _forget_length_if(parsed: Parsed, wrong: bool) -> None:
    """The parser takes the counts for those of the whole file, or the bitrate of the first frame for that of all."""
    if wrong:
        parsed.info.length = parsed.info.bitrate = None


def _varies(file: SparseFile, start: int) -> bool:
    """Whether the first frames (which the parser has read) have several bitrates."""
    found = set()
    for _ in range(_FIRST_FRAMES):
        header = file.peek(start, _HEADER)
        size = mpeg_size(header)
        if not size:
            break
        found.add(header[2] >> 4)
        start += size
    return len(found) > 1


def _goes_on(file: SparseFile, end: int) -> bool:
    """Whether anything but tags follows the sound: in a file joined from parts, the header describes only the first part."""
    if file.size - end <= _MORE:
        return False
    return not window(file, file.size - LOOKS_AT, LOOKS_AT) or sound_end(file) - end > _MORE


def _by_table(kind: str, table: bytes, sound: bytes) -> AudioIdentity | None:
    """A hint: the counts, the seek table, and a piece of the sound that is not silent."""
    return AudioIdentity(kind, digest(table, sound), Strength.HINT) if distinctive(sound, _LEAST) else None


def _sound(file: SparseFile, start: int, length: int) -> bytes:
    """4 KiB, a quarter of a second after the beginning (at 128 kbit/s), where few recordings are still silent."""
    begin = min(_LOOK_FROM, length // 2)
    return window(file, start + begin, min(_LOOK, length - begin))


def _check(file: SparseFile, start: int, least: int, parsed: Parsed) -> None:
    """Mark the file suspect if fewer than `least` bytes follow `start`, not counting tags at the end that were read."""
    end = file.size
    if file.has(max(0, end - LOOKS_AT), end):
        end = sound_end(file)
    if end - start < least:
        parsed.suspect = f"cut short: {end - start:,} of {least:,} bytes of sound are there"


def _number(data: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(data[at : at + size], "big")
