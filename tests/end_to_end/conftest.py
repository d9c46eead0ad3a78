"""Libraries on servers that fail: see `tests.faulty`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faulty import Library
from tests.forked import Forks, shared
from tests.places import Place, place_on
from tests.servers.http import HttpProxy, http_proxy
from tests.servers.remotes import RemoteServer
from tests.sync_sides import Synced, side_on


@pytest.fixture(scope="session")
def forks() -> Forks:
    """The program, with quick starts."""
    return shared()


@pytest.fixture
def library(request: pytest.FixtureRequest, forks: Forks, tmp_path: Path) -> Callable[..., Library]:
    """A function: kind of server -> an empty library there, through another port if given."""

    def of(kind: str, port: int | None = None) -> Library:
        if kind == "local":
            (tmp_path / "music").mkdir()
            return Library(Place(str(tmp_path / "music"), tmp_path / "music"), forks, tmp_path, {})
        server: RemoteServer = request.getfixturevalue(kind)
        config = tmp_path / "rclone.conf"
        config.write_text(server.section("remote", port=port))
        config.chmod(0o600)
        place = place_on(server, tmp_path.name)
        return Library(place, forks, tmp_path, {"RCLONE_CONFIG": str(config)})

    return of


@pytest.fixture
def proxied(
    request: pytest.FixtureRequest, library: Callable[..., Library]
) -> Iterator[Callable[[str], tuple[Library, HttpProxy]]]:
    """A function: kind of server -> a library behind a proxy of its own, and the proxy."""
    with contextlib.ExitStack() as stack:

        def of(kind: str) -> tuple[Library, HttpProxy]:
            proxy = stack.enter_context(http_proxy(request.getfixturevalue(kind).port))
            return library(kind, proxy.port), proxy

        yield of


@pytest.fixture
def synced(request: pytest.FixtureRequest, forks: Forks, tmp_path: Path) -> Iterator[Callable[[tuple[str, str]], Synced]]:
    """A function: kinds of A and B (see `side_on`) -> empty locations of that kind, and the program that syncs them."""
    with contextlib.ExitStack() as stack:

        def of(kinds: tuple[str, str]) -> Synced:
            a, b = (stack.enter_context(side_on(kind, name, tmp_path, request)) for kind, name in zip(kinds, "AB", strict=True))
            return Synced((a, b), forks, tmp_path)

        yield of
