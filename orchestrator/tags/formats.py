"""The one table of containers: extension and magic number -> the module that reads it.

A new format is one module in `orchestrator/tags/containers/` and one line here.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.paths import extension_of, name_of
from orchestrator.tags.parsed import Container
from orchestrator.tags.policy import Policy


def _short(policy: Policy) -> int:
    return policy.short_head


def _large(policy: Policy) -> int:
    return policy.large_head


def _tail(policy: Policy) -> int:
    return policy.tail


def _ogg_tail(policy: Policy) -> int:
    return policy.ogg_tail


def _end_check(policy: Policy) -> int:
    return policy.end_check


def _starts(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magics)


def _form(kind: bytes, *names: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(kind) and head[8:12] in names


def _ogg(codec: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(b"OggS") and len(head) > 27 and head[27 + head[26] :].startswith(codec)


def _mp4(head: bytes) -> bool:
    return head[4:8] == b"ftyp"


def _by_name_only(_head: bytes) -> bool:
    return False


MPEG = Container("MP3", ("mp3", "mp2", "mp1", "mpga"), _by_name_only, "mpeg", head=_large)

CONTAINERS: tuple[Container, ...] = (
    MPEG,
    Container("FLAC", ("flac",), _starts(b"fLaC"), "flac", tail=_end_check),
    Container(
        "MP4", ("m4a", "m4b", "m4p", "m4r", "mp4", "alac", "m4v", "mov", "qta", "aax", "3gp", "3ga"), _mp4, "mp4", head=_large
    ),
    Container("Ogg Vorbis", ("ogg",), _ogg(b"\x01vorbis"), "ogg", "read_vorbis", head=_large, tail=_ogg_tail),
    Container("Opus", ("opus",), _ogg(b"OpusHead"), "ogg", "read_opus", head=_large, tail=_ogg_tail),
    Container("Ogg FLAC", ("oga",), _ogg(b"\x7fFLAC"), "ogg", "read_flac", tail=_ogg_tail),
    Container("Speex", ("spx",), _ogg(b"Speex   "), "ogg", "read_speex", head=_large, tail=_ogg_tail),
    Container("WAV", ("wav", "wave", "bwf"), _form(b"RIFF", b"WAVE"), "chunks", "read_wav", head=_short),
    Container("AIFF", ("aif", "aiff", "aifc"), _form(b"FORM", b"AIFF", b"AIFC"), "chunks", "read_aiff", head=_short, tail=_tail),
    Container("DSDIFF", ("dff",), _starts(b"FRM8"), "chunks", "read_dsdiff", head=_short, tail=_tail),
    Container("DSF", ("dsf",), _starts(b"DSD "), "dsf", head=_short, tail=_tail),
    Container("WMA", ("wma", "asf"), _starts(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "asf", head=_large),
    Container("Monkey's Audio", ("ape",), _starts(b"MAC "), "apetagged", "read_monkeys", head=_short, tail=_tail),
    Container("WavPack", ("wv",), _starts(b"wvpk"), "apetagged", "read_wavpack", head=_short, tail=_tail),
    Container("Musepack", ("mpc", "mp+", "mpp"), _starts(b"MP+", b"MPCK"), "apetagged", "read_musepack", head=_short, tail=_tail),
    Container("OptimFROG", ("ofr",), _starts(b"OFR "), "apetagged", "read_optimfrog", head=_short, tail=_tail),
    Container("OptimFROG DualStream", ("ofs",), _starts(b"OFR "), "apetagged", "read_dualstream", head=_short, tail=_tail),
    Container("TAK", ("tak",), _starts(b"tBaK"), "apetagged", "read_tak", head=_short, tail=_tail),
    Container("True Audio", ("tta",), _starts(b"TTA"), "trueaudio", head=_short, tail=_tail),
    Container("AAC", ("aac", "adts"), _starts(b"ADIF"), "aac"),
    Container("64-bit WAV", ("rf64",), _form(b"RF64", b"WAVE"), "unsupported", "rf64", head=_short),
    Container("Matroska", ("mka",), _starts(b"\x1a\x45\xdf\xa3"), "unsupported", "matroska", head=_short),
    Container("Shorten", ("shn",), _starts(b"ajkg"), "unsupported", "shorten", head=_short),
)

_BY_EXTENSION = {extension: container for container in CONTAINERS for extension in container.extensions}


def is_audio(path: str) -> bool:
    """Whether the extension is that of an audio file; AppleDouble files (`._name`) are not audio."""
    return extension_of(path) in _BY_EXTENSION and not name_of(path).startswith("._")


def by_name(path: str) -> Container | None:
    """The container that the extension stands for."""
    return _BY_EXTENSION.get(extension_of(path))


def by_magic(head: bytes) -> Container | None:
    """The container by the first bytes after any ID3v2 tag; MPEG and ADTS have no magic number."""
    for container in CONTAINERS:
        if container.matches(head):
            return container
    return None
