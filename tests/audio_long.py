"""Streams of several minutes, built by the formats' specifications: correct headers, tables, page numbers and checksums around
sound that is generated when it is read. tests/audio_streams.py makes streams as small as possible.

Builders take seconds, a serial (a different serial gives different sound) and what comes before and after the sound; they return
pieces of a VirtualFile.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from random import Random

from mutagen.ogg import OggPage

from tests.audio_streams import _crc8, _crc16_mirrored
from tests.audio_tags import asf_object, atom, full_atom, guid
from tests.virtual_file import Piece, Repeat

_EDGE = 64 * 1024


def noise(serial: int, size: int) -> bytes:
    """Incompressible bytes without 0xff, so that they contain no sync word."""
    return Random(serial).randbytes(size).replace(b"\xff", b"\xfe")


def _sound(serial: int, size: int) -> list[Piece]:
    """Sound of `size` bytes: noise at both ends, silence between them."""
    edge = min(_EDGE, size // 2)
    return [noise(serial, edge), Repeat(bytes(4096), size - 2 * edge), noise(serial + 1, edge)]


# ------------------------------------------------------------ MPEG audio

_RATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)


def _frames(rates: list[int], serial: int) -> tuple[bytes, list[int]]:
    """Layer III frames of these bit rates, 44.1 kHz stereo, and their sizes."""
    filler, out, sizes, owed = noise(serial, 2048), [], [], 0
    for rate in rates:
        exact = 144 * rate * 1000
        owed += exact % 44100
        padding = owed >= 44100
        owed -= 44100 * padding
        size = exact // 44100 + padding
        header = bytes((0xFF, 0xFB, (_RATES.index(rate) + 1) << 4 | padding << 1, 0x64))
        out.append((header + bytes(32) + filler)[:size])
        sizes.append(size)
    return b"".join(out), sizes


def mp3(seconds: float, serial: int, *, variable: bool = False, header: str = "lame") -> list[Piece]:
    """MP3 at 128 kbit/s or with a variable rate. `header`: content of the first frame: "lame", "xing", "vbri" or "" (sound)."""
    random = Random(serial)
    # 49 frames of one rate take a whole number of bytes at 44.1 kHz.
    rates = random.choices((64, 96, 112, 128, 160, 192, 320), k=98) if variable else [128] * 49
    unit, sizes = _frames(rates, serial)
    count = round(seconds * 44100 / 1152)
    rounds, rest = divmod(count, len(rates))
    size = rounds * len(unit) + sum(sizes[:rest])
    sound: list[Piece] = [Repeat(unit, size)]
    if not header:
        return sound
    first, frame = bytes((0xFF, 0xFB, 0x90, 0x64)), 417  # 128 kbit/s
    toc = bytes(index * 256 // 100 for index in range(100))
    if header == "vbri":
        entries = max(1, count // 100)
        table = struct.pack(f">{entries}H", *[min(65535, size // entries)] * entries)
        tag = b"VBRI" + struct.pack(">HHHIIHHHH", 1, 0, 75, size + frame, count, entries, 1, 2, 100) + table
        return [(first + bytes(32) + tag)[:frame].ljust(frame, b"\0"), *sound]
    tag = (b"Xing" if variable else b"Info") + struct.pack(">III", 15, count, frame + size) + toc + struct.pack(">I", 50)
    if header == "lame":
        tag += (
            b"LAME3.100"
            + (b"\x04" if variable else b"\x01")
            + bytes((195,))
            + bytes(8)
            + b"\x00\xff"
            + b"\x24\x04\x50"
            + bytes(4)
        )
        tag += struct.pack(">IH", frame + size, serial % 65535 + 1)
        tag += struct.pack(">H", _crc16_mirrored(first + bytes(32) + tag))
    return [(first + bytes(32) + tag).ljust(frame, b"\0"), *sound]


# ------------------------------------------------------------ FLAC


def flac(seconds: float, serial: int, blocks: list[tuple[int, bytes]]) -> list[Piece]:
    """FLAC in CD quality with a seek table, then these metadata blocks, each as (kind, content)."""
    frames, average = round(seconds * 44100 / 4096), 7000
    size = frames * average
    samples = frames * 4096
    info = struct.pack(">HH", 4096, 4096) + (4000).to_bytes(3, "big") + (14000).to_bytes(3, "big")
    info += struct.pack(">Q", 44100 << 44 | 1 << 41 | 15 << 36 | samples)
    info += hashlib.md5(b"long %d" % serial, usedforsecurity=False).digest()
    seeks = b"".join(struct.pack(">QQH", index * 4096, index * average, 4096) for index in range(0, frames, 108))
    out = b"fLaC"
    for index, (kind, content) in enumerate(metadata := [(0, info), (3, seeks), *blocks]):
        out += bytes((kind | 0x80 * (index == len(metadata) - 1),)) + len(content).to_bytes(3, "big") + content
    header = b"\xff\xf8\xc9\x18\0"
    first = header + bytes([_crc8(header)])
    body = _sound(serial, size)
    assert isinstance(body[0], bytes)
    return [out, first + body[0][len(first) :], *body[1:]]


# ------------------------------------------------------------ MP4


def mp4(seconds: float, serial: int, tags: bytes, *, codec: str = "aac", moov_first: bool = True) -> list[Piece]:
    """M4A with AAC at 256 kbit/s or with ALAC, and all its tables; `tags` is the `udta` box."""
    frame, average = (1024, 743) if codec == "aac" else (4096, 11000)
    count, per_chunk = round(seconds * 44100 / frame), 22
    random = Random(serial)
    sizes = [average + random.randrange(-200, 200) for _ in range(count)]
    data = _sound(serial, sum(sizes))
    starts, position = [], 0
    for index in range(0, count, per_chunk):
        starts.append(position)
        position += sum(sizes[index : index + per_chunk])
    if codec == "aac":
        config = b"\x05\x02\x12\x10"
        decoder = b"\x04" + bytes([13 + len(config)]) + b"\x40\x15" + bytes(3) + struct.pack(">II", 256000, 256000) + config
        entry = full_atom(b"esds", b"\x03" + bytes([3 + len(decoder) + 3]) + b"\0\1\0" + decoder + b"\x06\x01\x02")
    else:
        entry = full_atom(b"alac", struct.pack(">IBBBBBBHIII", 4096, 0, 16, 40, 10, 14, 2, 255, 0, 900000, 44100))
    name = b"mp4a" if codec == "aac" else b"alac"
    entry = atom(name, bytes(6), b"\0\1", bytes(8), struct.pack(">HHII", 2, 16, 0, 44100 << 16), entry)
    brands = atom(b"ftyp", b"M4A \0\0\2\0isomiso2")

    def moov(offset: int) -> bytes:
        full, rest = divmod(count, per_chunk)
        runs = [(1, per_chunk, 1)] + ([(full + 1, rest, 1)] if rest else [])
        table = atom(
            b"stbl",
            full_atom(b"stsd", struct.pack(">I", 1), entry),
            full_atom(b"stts", struct.pack(">III", 1, count, frame)),
            full_atom(b"stsc", struct.pack(">I", len(runs)), *(struct.pack(">III", *run) for run in runs)),
            full_atom(b"stsz", struct.pack(">II", 0, count), struct.pack(f">{count}I", *sizes)),
            full_atom(b"stco", struct.pack(f">I{len(starts)}I", len(starts), *(offset + start for start in starts))),
        )
        handler = full_atom(b"hdlr", struct.pack(">I4s", 0, b"soun"), bytes(12), b"\0")
        reference = atom(b"dinf", full_atom(b"dref", struct.pack(">I", 1), atom(b"url ", b"\0\0\0\1")))
        media = atom(
            b"mdia",
            full_atom(b"mdhd", struct.pack(">IIIIHH", 0, 0, 44100, count * frame, 0x55C4, 0)),
            handler,
            atom(b"minf", full_atom(b"smhd", bytes(4)), reference, table),
        )
        matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
        length = count * frame * 1000 // 44100
        track = full_atom(b"tkhd", struct.pack(">IIIII", 0, 0, 1, 0, length), bytes(16), matrix, bytes(8))
        movie = struct.pack(">IIIIIH", 0, 0, 1000, length, 0x10000, 0x100), bytes(10), matrix, bytes(24), b"\0\0\0\2"
        return atom(b"moov", full_atom(b"mvhd", *movie), atom(b"trak", track, media), tags)

    box = struct.pack(">I4s", 8 + sum(sizes), b"mdat")
    if moov_first:
        padding = atom(b"free", bytes(1024))
        before = brands + moov(len(brands) + len(moov(0)) + len(padding) + 8) + padding
        return [before, box, *data]
    return [brands + atom(b"free") + box, *data, moov(len(brands) + 16)]


# ------------------------------------------------------------ Ogg


def _pages(packets: list[bytes], segments: int, serial: int) -> list[OggPage]:
    """Packets on pages of at most `segments` segments of 255 bytes; the first of them is page 1."""
    pages = [OggPage()]
    for packet in packets:
        pages[-1].packets.append(b"")
        for start in range(0, len(packet) + 1, 255):
            if sum(len(part) // 255 + 1 for part in pages[-1].packets) > segments:
                pages[-1].complete = False
                pages.append(OggPage())
                pages[-1].continued = True
                pages[-1].packets.append(b"")
            pages[-1].packets[-1] += packet[start : start + 255]
    for index, page in enumerate(pages):
        page.serial, page.sequence, page.position = serial, 1 + index, 0 if page.complete else -1
    return pages


def ogg(
    serial: int, headers: list[bytes], pages: int, page: tuple[int, int, int], *, start: int = 0, short_pages: bool = False
) -> list[Piece]:
    """`pages` pages of sound, `page` = (packets on each, bytes of a packet, samples of a packet).

    The second header packet holds the comments. With `short_pages` it is on pages of 4 KiB, as mutagen writes them, otherwise on
    full pages, as libogg does.
    """
    count, size, samples = page
    first = OggPage()
    first.packets, first.serial, first.first, first.position = [headers[0]], serial, True, 0
    middle = _pages(headers[1:], 16 if short_pages else 255, serial)
    sound = OggPage()
    sound.serial = serial
    sound.packets = [noise(serial, size)] * count
    out, sequence = [p.write() for p in (first, *middle)], 1 + len(middle)
    for index in range(pages):
        sound.sequence, sound.position = sequence + index, start + samples * count * (index + 1)
        sound.last = index == pages - 1
        out.append(sound.write())
    return [b"".join(out)]


def vorbis(seconds: float, serial: int, comments: bytes, *, short_pages: bool = False) -> list[Piece]:
    """Vorbis at 192 kbit/s."""
    identification = b"\x01vorbis" + struct.pack("<IBIiiiB", 0, 2, 44100, 0, 192000, 0, 0xB8) + b"\1"
    setup = b"\x05vorbis" + noise(9, 3800) + b"\1"
    headers = [identification, b"\x03vorbis" + comments + b"\1", setup]
    return ogg(serial, headers, round(seconds * 44100 / 1024 / 8), (8, 550, 1024), short_pages=short_pages)


def opus(seconds: float, serial: int, comments: bytes, *, short_pages: bool = False) -> list[Piece]:
    """Opus at 128 kbit/s, one page a second as its encoder writes them."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, 48000, 0, 0)
    headers = [head, b"OpusTags" + comments + (bytes(512) if short_pages else b"")]  # some encoders leave more room
    return ogg(serial, headers, round(seconds), (50, 320, 960), start=312, short_pages=short_pages)


def speex(seconds: float, serial: int, comments: bytes) -> list[Piece]:
    """Speex, wideband."""
    head = b"Speex   " + b"speex-1.2".ljust(20, b"\0")
    head += struct.pack("<13I", 1, 80, 16000, 1, 4, 1, 0xFFFFFFFF, 320, 0, 1, 0, 0, 0)
    return ogg(serial, [head, comments], round(seconds / 2), (100, 70, 320))


# ------------------------------------------------------------ PCM and DSD


def wav(seconds: float, serial: int, tag: bytes) -> list[Piece]:
    """WAV in CD quality, with an ID3 chunk after the sound if there is a tag."""
    size = round(seconds * 44100) * 4
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 2, 44100, 176400, 4, 16)
    end = b"id3 " + struct.pack("<I", len(tag)) + tag + bytes(len(tag) % 2) if tag else b""
    head = b"RIFF" + struct.pack("<I", 4 + len(form) + 8 + size + len(end)) + b"WAVE" + form + b"data" + struct.pack("<I", size)
    return [head, *_sound(serial, size), end]


def aiff(seconds: float, serial: int, tag: bytes) -> list[Piece]:
    """AIFF in CD quality, with an ID3 chunk after the sound if there is a tag."""
    samples = round(seconds * 44100)
    size = samples * 4
    common = b"COMM" + struct.pack(">IHIH", 18, 2, samples, 16) + struct.pack(">HQ", 16383 + 15, 44100 << 48)
    end = b"ID3 " + struct.pack(">I", len(tag)) + tag + bytes(len(tag) % 2) if tag else b""
    length = 4 + len(common) + 16 + size + len(end)
    head = b"FORM" + struct.pack(">I", length) + b"AIFF" + common + b"SSND" + struct.pack(">I", size + 8) + bytes(8)
    return [head, *_sound(serial, size), end]


def _dsd_size(seconds: float) -> int:
    """Bytes of one channel of DSD64, rounded to whole blocks."""
    return round(seconds * 2822400 / 8 / 4096) * 4096


def dsf(seconds: float, serial: int, tag: bytes) -> list[Piece]:
    """DSF, stereo, with an ID3 tag at the end."""
    size = _dsd_size(seconds)
    form = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 2, 2, 2822400, 1, size * 8, 4096, 0)
    sound = b"data" + struct.pack("<Q", 12 + 2 * size)
    end = 28 + len(form) + len(sound) + 2 * size
    head = b"DSD " + struct.pack("<QQQ", 28, end + len(tag), end if tag else 0)
    return [head + form + sound, *_sound(serial, 2 * size), tag]


def dsdiff(seconds: float, serial: int, tag: bytes) -> list[Piece]:
    """DSDIFF, stereo, with an ID3 chunk at the end."""
    size = _dsd_size(seconds) * 2

    def chunk(name: bytes, *parts: bytes) -> bytes:
        body = b"".join(parts)
        return name + struct.pack(">Q", len(body)) + body + bytes(len(body) % 2)

    properties = chunk(
        b"PROP",
        b"SND ",
        chunk(b"FS  ", struct.pack(">I", 2822400)),
        chunk(b"CHNL", struct.pack(">H", 2), b"SLFTSRGT"),
        chunk(b"CMPR", b"DSD \x0enot compressed\0"),
    )
    head = b"DSD " + chunk(b"FVER", b"\1\5\0\0") + properties + b"DSD " + struct.pack(">Q", size)
    end = chunk(b"ID3 ", tag) if tag else b""
    return [b"FRM8" + struct.pack(">Q", len(head) + size + len(end)) + head, *_sound(serial, size), end]


# ------------------------------------------------------------ formats with APEv2, and WMA


def ape(seconds: float, serial: int) -> list[Piece]:
    """Monkey's Audio 3.99 in CD quality."""
    samples, per_frame = round(seconds * 44100), 73728 * 4
    frames = -(-samples // per_frame)
    size = frames * 700_000
    seek = struct.pack(f"<{frames}I", *(76 + 4 * frames + 700_000 * index for index in range(frames)))
    digest = hashlib.md5(b"long %d" % serial, usedforsecurity=False).digest()
    head = b"MAC " + struct.pack("<HHIIIIIII", 3990, 0, 52, 24, len(seek), 44, size, 0, 0) + digest
    head += struct.pack("<HHIIIHHI", 2000, 0, per_frame, samples - (frames - 1) * per_frame, frames, 16, 2, 44100)
    return [head + seek + bytes(44), *_sound(serial, size)]


def wavpack(seconds: float, serial: int, *, with_md5: bool = True) -> list[Piece]:
    """WavPack in CD quality in blocks of half a second; the last one has the md5 of the sound if made with `-m`."""
    per_block, size = 22050, 55_000
    samples = round(seconds * 44100)
    count = -(-samples // per_block)
    flags = 1 | 1 << 11 | 1 << 12 | 9 << 23  # 16 bit stereo, 44.1 kHz, first and last block of its sequence
    body = b"\x8a" + (size // 2).to_bytes(3, "little") + noise(serial, size)  # one long sub-block: the bitstream
    digest = b"\x26\x08" + hashlib.md5(b"long %d" % serial, usedforsecurity=False).digest()
    out: list[Piece] = []
    for index in range(count):
        extra = digest if with_md5 and index == count - 1 else b""
        here = min(per_block, samples - index * per_block)
        total = 24 + len(body) + len(extra)
        out.append(b"wvpk" + struct.pack("<IHBBIIIII", total, 0x410, 0, 0, samples, index * per_block, here, flags, 0))
        out += [body, extra]
    return out


def musepack(seconds: float, serial: int, *, version: int = 8) -> list[Piece]:
    """Musepack of stream version 7 or 8."""
    size = round(seconds * 22_000)
    samples = round(seconds * 44100)
    if version == 7:
        frames = -(-samples // 1152)
        head = b"MP+\x07" + struct.pack("<II", frames, 0x0AC00000) + bytes(12) + struct.pack("<I", 0x80000000 | 1024 << 20)
        return [head, *_sound(serial, size)]

    def number(value: int) -> bytes:
        out = bytes([value & 0x7F])
        while value := value >> 7:
            out = bytes([0x80 | value & 0x7F]) + out
        return out

    header = b"\x08" + number(samples) + number(0) + b"\x0f\x1a"
    head = b"MPCK" + b"SH" + bytes([7 + len(header)]) + struct.pack(">I", zlib.crc32(header)) + header
    head += b"RG\x0c\x01" + bytes(8) + b"EI\x07\x81\x01\x1e\x01" + b"SO\x08" + bytes(5)
    sound = b"AP" + number(size + 6) + noise(serial, 16)  # one packet: no reader walks through them
    return [head + sound, *_sound(serial, size), b"SE\x03"]


def tta(seconds: float, serial: int) -> list[Piece]:
    """True Audio in CD quality."""
    samples = round(seconds * 44100)
    frames, size = -(-samples // 46080), 110_000
    header = b"TTA1" + struct.pack("<HHHII", 1, 2, 16, 44100, samples)
    seek = struct.pack(f"<{frames}I", *[size] * frames)
    head = header + struct.pack("<I", zlib.crc32(header)) + seek + struct.pack("<I", zlib.crc32(seek))
    return [head, *_sound(serial, frames * size)]


def wma(seconds: float, serial: int, tags: list[bytes]) -> list[Piece]:
    """WMA at 192 kbit/s with these tag objects in its header."""
    packet, ticks = 8192, round(seconds * 10_000_000)
    packets = round(seconds * 24_000 / packet)
    size = packets * packet
    identity = hashlib.md5(b"long %d" % serial, usedforsecurity=False).digest()
    form = struct.pack("<HHIIHHH", 0x161, 2, 44100, 24000, packet, 16, 10) + bytes(10)
    facts = struct.pack("<QQQQQQIIII", 0, 0, packets, ticks, ticks, 3000, 2, packet, packet, 192000)
    kinds = guid("F8699E40-5B4D-11CF-A8FD-00805F5C442B") + guid("20FB5700-5B55-11CF-A8FD-00805F5C442B")
    codec = struct.pack("<HH", 2, 22) + "Windows Media Audio 9\0".encode("utf-16-le") + bytes(2) + struct.pack("<HH", 2, 0x161)
    objects = [
        asf_object("8CABDCA1-A947-11CF-8EE4-00C00C205365", identity, facts),
        asf_object("B7DC0791-A9B7-11CF-8EE6-00C00C205365", kinds, struct.pack("<QIIHI", 0, len(form), 0, 1, 0), form),
        asf_object(
            "86D15240-311D-11D0-A3A4-00A0C90348F6", guid("86D15241-311D-11D0-A3A4-00A0C90348F6"), struct.pack("<I", 1), codec
        ),
        *tags,
    ]
    head = asf_object("75B22630-668E-11CF-A6D9-00AA0062CE6C", struct.pack("<IBB", len(objects), 1, 2), *objects)
    head += guid("75B22636-668E-11CF-A6D9-00AA0062CE6C") + struct.pack("<Q", 50 + size) + identity
    return [head + struct.pack("<QH", packets, 0x101), *_sound(serial, size)]
