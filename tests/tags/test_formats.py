"""Which names are audio, and which format a file has."""

from __future__ import annotations

from importlib import import_module

import pytest

from orchestrator.tags.formats import CONTAINERS, by_magic, by_name, is_audio


@pytest.mark.parametrize(
    "path", ["a.mp3", "A/B.FLAC", "x.m4a", "x.M4B", "x.opus", "x.spx", "x.wma", "x.aif", "x.dff", "x.tta", "a.b/c.d.Ogg", "x.mka"]
)
def test_audio_is_known_by_its_extension_in_any_case(path: str) -> None:
    assert is_audio(path)


@pytest.mark.parametrize(
    "path", ["cover.jpg", "a.m3u", "mp3", ".mp3", "a/.flac", "a.mp3/b", "a.mp3.part", "._a.mp3", "x/._y.flac", ""]
)
def test_other_files_and_apple_double_files_are_not_audio(path: str) -> None:
    assert not is_audio(path)


def test_each_container_has_a_reader_and_extensions_of_its_own() -> None:
    extensions = [extension for container in CONTAINERS for extension in container.extensions]
    assert len(extensions) == len(set(extensions))
    for container in CONTAINERS:
        assert callable(getattr(import_module(f"orchestrator.tags.containers.{container.module}"), container.function))


def test_the_first_bytes_reveal_the_format_and_noise_reveals_none() -> None:
    named = by_name("x.flac")
    assert named is not None
    assert by_magic(b"fLaC\0\0\0\x22") is named
    assert by_magic(b"OggS" + bytes(22) + b"\x01\x13OpusHead") is by_name("x.opus")
    assert by_magic(b"") is None
    assert by_magic(bytes(300)) is None
