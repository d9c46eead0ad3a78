"""The truth library on real servers, spread over several."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.library import LibraryFacts
from tests.places import Place, places
from tests.truth.files import TrueLibrary

HASHES = {
    "local": frozenset[str](),
    "s3_serve": frozenset({"md5"}),
    "webdav": frozenset[str](),
    "drive": frozenset({"md5", "sha1", "sha256"}),
    "dropbox": frozenset({"dropbox"}),
}
"""The hash types that a listing has, by kind of `tests.places`."""


@contextlib.contextmanager
def torn_apart(library: TrueLibrary, kinds: Sequence[str], work: Path, rclone: Path, config: Path) -> Iterator[list[Place]]:
    """The library spread over locations of these kinds. Their remotes are added to the rclone `config`."""
    with contextlib.ExitStack() as stack:
        made = []
        for kind, part in zip(kinds, library.split(len(kinds)), strict=True):
            root = work / f"made for {kind}"
            part.write(root)
            facts = LibraryFacts(root, files={path: file.digest for path, file in part.files.items()})
            home = work / f"{kind}-truth"
            home.mkdir()
            made.append(stack.enter_context(places(kind, home, rclone, config, {"library": facts}))["library"])
        yield made
