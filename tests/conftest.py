"""Fixtures for all tests: rclone, a config of its own, the test servers, and a storage of each kind.

Servers start when they are first used and run until the test session ends. No test sees the remotes, config or state of the user
who runs the tests.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from orchestrator.rclone import binary
from orchestrator.rclone.binary import Binary, find_rclone
from orchestrator.rclone.runtime import Rclone
from orchestrator.storage.fake.memory import MemoryStorage
from orchestrator.storage.protocol import Storage
from orchestrator.storage.rclone_backed.storage import RcloneStorage
from tests import providers
from tests.servers import layers, remotes
from tests.servers.disk import MEMORY
from tests.servers.remotes import DriveRemote, DropboxRemote, RemoteServer
from tests.slow_first import slow_first

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=_QUIET)
settings.register_profile("dev", max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=_QUIET)
settings.register_profile("nightly", max_examples=2000, deadline=None, database=None, suppress_health_check=_QUIET)

_ROOM = 4 * 1024**3
_DAY_S = 24 * 60 * 60
_numbers = count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Choose "dev", "ci" or "nightly" by option or environment, for Hypothesis and for `tests.nightly`."""
    config.addinivalue_line("markers", "nightly: runs in the nightly run only")
    config.addinivalue_line("markers", "shows(ability, ...): shows this of the provider that is its parameter")
    profile = config.getoption("--hypothesis-profile") or os.environ.get("HYPOTHESIS_PROFILE") or "ci"
    os.environ["HYPOTHESIS_PROFILE"] = profile
    settings.load_profile(profile)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background job; programs inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # A fourth of what a start of rclone takes is the collection of garbage; tests start thousands.
    os.environ.setdefault("GOGC", "800")
    os.environ.setdefault("GOMEMLIMIT", "256MiB")
    if os.environ.get("CI") == "true":
        _work_in_memory()
    if profile == "nightly":
        os.environ.setdefault("FIRST_HISTORY", str(int(time.time()) // _DAY_S * 2000))
        if not hasattr(config, "workerinput"):
            config.pluginmanager.register(providers.Table())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Refuse sets of values: each process would collect the tests in another order, now and then."""
    for mark in metafunc.definition.iter_markers("parametrize"):
        if any(isinstance(given, set | frozenset) for given in (*mark.args, *mark.kwargs.values())):
            raise pytest.UsageError(f"{metafunc.definition.nodeid}: parametrize wants a list, a set has no order")


def _work_in_memory() -> None:
    """Have the tests' directories in memory, if there is room: the program waits for its disk often, and a busy one is slow."""
    with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=MEMORY) as file:
        os.setxattr(file.fileno(), "user.test", b"kept")
        if shutil.disk_usage(MEMORY).free >= _ROOM:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run tests marked `nightly` only in the nightly run; several processes begin with the slow ones."""
    for item in items:
        item.user_properties += [("shows", tuple(shown)) for shown in providers.shown_by(item)]
    left_out = [item for item in items if item.get_closest_marker("nightly") and os.environ["HYPOTHESIS_PROFILE"] != "nightly"]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]
    if (processes := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))) > 1:
        items[:] = slow_first(items, processes)


_IN_EVERY_RUN = ("local", "s3_moto", "gcs", "webdav", "drive", "dropbox")
"""A server of each protocol but SFTP and FTP, whose shapes are also those of a fake; random histories try these in every run."""
SOME_STORAGES = ["memory", *providers.everywhere(*_IN_EVERY_RUN)]
"""Every kind of storage, as parameters of a test."""


@pytest.fixture(scope="session", autouse=True)
def rclone_config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The rclone.conf of the test session, named by RCLONE_CONFIG; servers add themselves to it when they start."""
    home = tmp_path_factory.mktemp("home")
    config = home / "rclone.conf"
    config.touch(mode=0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RCLONE_CONFIG", str(config))
        patch.setenv("XDG_STATE_HOME", str(home / "state"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        patch.delenv("MUSIC_ORCHESTRATOR_CONFIG", raising=False)
        patch.setattr(binary, "_version", _asked_once(binary._version))
        yield config


def _asked_once(version: Callable[[Path], str | None]) -> Callable[[Path], str | None]:
    """Ask our rclone for its version only once: tests with a state directory of their own would each do so."""
    once = cache(version)
    ours = {shutil.which("rclone"), shutil.which("rclone", path=sysconfig.get_path("scripts"))}
    return lambda path: (once if str(path) in ours else version)(path)


@pytest.fixture(scope="session")
def found_rclone() -> Binary:
    """rclone, as the program finds it."""
    return find_rclone(None)


@pytest.fixture(scope="session")
def rclone_binary(found_rclone: Binary) -> Path:
    """The path of the rclone binary."""
    return found_rclone.path


@pytest.fixture(scope="session")
def rclone(found_rclone: Binary, rclone_config: Path) -> Iterator[Rclone]:
    """One rclone daemon for the whole session."""
    with Rclone(found_rclone, config=rclone_config) as running:
        yield running


@pytest.fixture(scope="session")
def s3_serve(rclone_binary: Path, rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteServer]:
    """S3 from `rclone serve s3`."""
    with remotes.s3_serve(rclone_binary, tmp_path_factory.mktemp("s3serve")) as server:
        _add(rclone_config, server)
        yield server


@pytest.fixture(scope="session")
def s3_moto(rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteServer]:
    """S3 from moto."""
    with remotes.s3_moto(tmp_path_factory.mktemp("s3moto")) as server:
        _add(rclone_config, server)
        yield server


@pytest.fixture(scope="session")
def gcs(rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteServer]:
    """Google Cloud Storage from fake-gcs-server."""
    with remotes.gcs(tmp_path_factory.mktemp("gcs")) as server:
        _add(rclone_config, server)
        yield server


@pytest.fixture(scope="session")
def azure(rclone_binary: Path, rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteServer]:
    """Azure Blob Storage from Azurite."""
    with remotes.azure(rclone_binary, tmp_path_factory.mktemp("azure")) as server:
        _add(rclone_config, server)
        yield server


@pytest.fixture(scope="session")
def webdav(rclone_binary: Path, rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteServer]:
    """WebDAV from `rclone serve webdav`."""
    with remotes.webdav(rclone_binary, tmp_path_factory.mktemp("webdav")) as server:
        _add(rclone_config, server)
        yield server


@pytest.fixture(scope="session")
def sftp(rclone_binary: Path, rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteServer]:
    """SFTP from `rclone serve sftp`."""
    with remotes.sftp(rclone_binary, tmp_path_factory.mktemp("sftp")) as server:
        _add(rclone_config, server)
        yield server


@pytest.fixture(scope="session")
def wsgidav(rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteServer]:
    """WebDAV from WsgiDAV."""
    with remotes.wsgidav(tmp_path_factory.mktemp("wsgidav")) as server:
        _add(rclone_config, server)
        yield server


@pytest.fixture(scope="session")
def openssh(rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteServer]:
    """SFTP from OpenSSH."""
    with remotes.openssh(tmp_path_factory.mktemp("openssh")) as server:
        _add(rclone_config, server)
        yield server


@pytest.fixture(scope="session")
def ftp(rclone_binary: Path, rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteServer]:
    """FTP from pyftpdlib."""
    with remotes.ftp(rclone_binary, tmp_path_factory.mktemp("ftp")) as server:
        _add(rclone_config, server)
        yield server


@pytest.fixture(scope="session")
def drive(rclone_config: Path) -> Iterator[DriveRemote]:
    """An emulated Google Drive."""
    with remotes.drive() as server:
        _add(rclone_config, server)
        yield server


@pytest.fixture(scope="session")
def dropbox(rclone_config: Path) -> Iterator[DropboxRemote]:
    """An emulated Dropbox."""
    with remotes.dropbox() as server:
        _add(rclone_config, server)
        yield server


@pytest.fixture(scope="session")
def crypt(rclone_binary: Path, rclone_config: Path, s3_moto: RemoteServer) -> RemoteServer:
    """Encrypted files in moto's bucket."""
    return _add(rclone_config, layers.crypt(rclone_binary, s3_moto))


@pytest.fixture(scope="session")
def alias(rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> RemoteServer:
    """Another name for a folder of this disk."""
    return _add(rclone_config, layers.alias(tmp_path_factory.mktemp("alias")))


@pytest.fixture(scope="session")
def combine(rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> RemoteServer:
    """A folder of this disk in a tree of remotes."""
    return _add(rclone_config, layers.combine(tmp_path_factory.mktemp("combine")))


@pytest.fixture(scope="session")
def chunker(rclone_config: Path, tmp_path_factory: pytest.TempPathFactory) -> RemoteServer:
    """Chunks of files on this disk."""
    return _add(rclone_config, layers.chunker(tmp_path_factory.mktemp("chunker")))


def _add(config: Path, server: RemoteServer) -> RemoteServer:
    with config.open("a") as file:
        file.write(server.section())
    return server


@pytest.fixture(params=SOME_STORAGES)
def storage_kind(request: pytest.FixtureRequest) -> str:
    """Each kind of SOME_STORAGES in turn."""
    return str(request.param)


@pytest.fixture
def open_storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Storage]]:
    """A function: kind of SOME_STORAGES -> an empty storage of that kind, which is closed after the test."""
    opened: list[Storage] = []

    def of(kind: str) -> Storage:
        number = next(_numbers)
        if kind == "memory":
            opened.append(MemoryStorage(f"memory:library{number}"))
            return opened[-1]
        rclone = request.getfixturevalue("rclone")
        if kind == "local":
            root = tmp_path / f"library{number}"
            root.mkdir()
            opened.append(RcloneStorage(rclone, str(root)))
            return opened[-1]
        server: RemoteServer = request.getfixturevalue(kind)
        opened.append(RcloneStorage(rclone, server.fs(f"library{number}")))
        if opened[-1].capabilities.empty_directories:
            opened[-1].make_directory("")
        return opened[-1]

    yield of
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(open_storage: Callable[[str], Storage], storage_kind: str) -> Storage:
    """An empty storage of each kind in turn."""
    return open_storage(storage_kind)
