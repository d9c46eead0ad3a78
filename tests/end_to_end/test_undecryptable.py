"""A crypt with a wrong password or setting is refused, because it only seems to be empty; a foreign file in it stops nothing."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.storage.rclone_backed.crypts import looks_encrypted
from orchestrator.track import Track
from tests.audio import make_track
from tests.faulty import Library
from tests.forked import Forks
from tests.nightly import NIGHTLY
from tests.places import Place, PlaceThroughRclone, bucket, crypt_section, digest
from tests.servers.http import HttpProxy, http_proxy
from tests.servers.remotes import BUCKET, RemoteServer, obscured

OTHERWISE = {  # the crypt that wrote the library, and another one over the same folder
    "password": ({}, {"password": "wrong"}),
    "salt": ({"password2": "salt"}, {"password2": "another"}),
    "no salt": ({"password2": "salt"}, {}),
    "encoding": ({}, {"filename_encoding": "base64"}),
    "plain folders": ({}, {"directory_name_encryption": "false"}),
    "encrypted folders": ({"directory_name_encryption": "false"}, {}),
    "plain folders, password": ({"directory_name_encryption": "false"}, {"directory_name_encryption": "false", "password": "w"}),
    "no names": ({}, {"filename_encryption": "off"}),
    "no names, base64": ({"filename_encoding": "base64"}, {"filename_encryption": "off"}),
    "names": ({"filename_encryption": "off"}, {}),
    "off, password": ({"filename_encryption": "off"}, {"filename_encryption": "off", "password": "wrong"}),
    "obfuscate": ({}, {"filename_encryption": "obfuscate"}),
    "obfuscate, password": ({"filename_encryption": "obfuscate"}, {"filename_encryption": "obfuscate", "password": "wrong"}),
}
SAMPLE = ("password", "no names", "off, password", "obfuscate, password")
CASES = [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.nightly) for name in OTHERWISE]
SECRETS = ("password", "password2")


class Vaults:
    """A folder on a disk or in a bucket, with a library that the crypt `vault` wrote, and other crypts over it."""

    def __init__(self, home: Path, forks: Forks, rclone: Path, server: RemoteServer | None, port: int | None = None) -> None:
        self._home, self._rclone, self._server = home, rclone, server
        self.config = home / "rclone.conf"
        self.config.write_text(server.section("below", port=port) if server else "")
        self.config.chmod(0o600)
        self.below = server.fs(home.name, name="below") if server else str(home / "below")
        (home / "state").mkdir()
        self.music = Library(Place("", None), forks, home, {"RCLONE_CONFIG": str(self.config)})
        self.source = home / "new"
        make_track(self.source / "new.flac", "flac", Track(title=("New",), artist=("New",), album=("New",), track=1), serial=9)

    def add(self, name: str, **options: str) -> None:
        """A crypt over the folder, with a password of its own or the usual one."""
        hidden = {key: obscured(self._rclone, value) if key in SECRETS else value for key, value in options.items()}
        with self.config.open("a") as file:
            file.write(crypt_section(self._rclone, name, self.below, **hidden))

    def add_remote(self, name: str, **options: str) -> None:
        """Another remote."""
        with self.config.open("a") as file:
            file.write(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items()))

    def fill(self) -> None:
        """Two songs in `vault:music`."""
        for number in (1, 2):
            self.put_song(f"Band/Album/{number:02} Song {number}.flac", number)

    def put_song(self, path: str, number: int) -> None:
        """A song in `vault:music`."""
        file = self._home / f"{number}.flac"
        make_track(
            file, "flac", Track(title=(f"Song {number}",), artist=("Band",), album=("Album",), track=number), serial=number
        )
        PlaceThroughRclone("vault:music", None, command=self._command).put(path, file.read_bytes())

    def rclone(self, *arguments: str) -> str:
        """What rclone prints."""
        return subprocess.run((*self._command, *arguments), check=True, capture_output=True).stdout.decode("utf-8", "replace")

    @property
    def _command(self) -> tuple[str, ...]:
        return str(self._rclone), "--config", str(self.config)

    def put(self, name: str, content: bytes = b"foreign") -> None:
        """A file in the folder below that no crypt wrote."""
        if self._server is not None:
            bucket(self._server).put_object(Bucket=BUCKET, Key=f"{self._home.name}/{name}", Body=content)
            return
        file = self._home / "below" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def tree(self) -> dict[str, str]:
        """What is below, as it is."""
        if self._server is not None:
            return Place("", None, self._server, self._home.name).tree()
        files = [path for path in (self._home / "below").rglob("*") if path.is_file()]
        return {path.relative_to(self._home / "below").as_posix(): digest(path.read_bytes()) for path in files}

    def refuses(self, *arguments: str, of: str = "other:") -> None:
        """The command ends with 7, names the remote and what to do, and changes nothing below."""
        before = self.tree()
        ended = self.music(*arguments, codes=(7,))
        [error] = ended.errors
        assert f"{of} can decrypt none of" in error["message"]
        assert "`rclone config`" in error["message"]
        assert "allow_undecryptable" in error["message"]
        assert "allow-empty" not in error["message"]
        assert self.tree() == before


@pytest.fixture
def vaults(request: pytest.FixtureRequest, forks: Forks, tmp_path: Path, rclone_binary: Path) -> Callable[..., Vaults]:
    """A function: kind of the server below ("local" or a fixture), and its port -> an empty folder there."""

    def of(kind: str = "local", port: int | None = None) -> Vaults:
        return Vaults(tmp_path, forks, rclone_binary, None if kind == "local" else request.getfixturevalue(kind), port)

    return of


@pytest.mark.parametrize("kind", ["local", pytest.param("s3_moto", marks=pytest.mark.nightly)])
@pytest.mark.parametrize("case", CASES)
def test_a_crypt_that_decrypts_nothing_is_refused_by_every_command(vaults: Callable[..., Vaults], kind: str, case: str) -> None:
    there = vaults(kind)
    right, wrong = OTHERWISE[case]
    there.add("vault", **right)
    there.add("other", **wrong)
    there.fill()
    new = str(there.source)
    there.refuses("organize", new, "other:music", "--copy")
    there.refuses("sync", new, "other:music")
    there.refuses("remotes", "check", "other:")
    if case in SAMPLE[1:] and not NIGHTLY:
        return
    for target in ("other:music", "other:", "other:elsewhere"):
        there.refuses("scan", target)
        there.refuses("organize", new, target, "--copy")
    there.refuses("organize", "other:music")
    there.refuses("dedup", "other:music", "--dedup", "quarantine")
    there.refuses("stats", "other:")
    there.refuses("quarantine", "list", "other:elsewhere")
    assert there.music("organize", new, "vault:music", "--copy").summary["ops_done"] == 1


def test_a_wrong_password_is_noticed_where_some_names_pass_by_chance(vaults: Callable[..., Vaults], tmp_path: Path) -> None:
    there = vaults()
    there.add("vault")
    there.add("other", password="wrong")
    for number in range(700):
        for path in (f"{number}.mp3", f"music/{number}/Song.mp3", f"The Band {number}/Song.mp3"):
            (tmp_path / "many" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "many" / path).write_bytes(b"song")
    there.rclone("copy", str(tmp_path / "many"), "vault:")
    assert there.rclone("lsf", "other:", "--dirs-only"), "some folders seem to have names"
    assert there.rclone("lsf", "other:", "--files-only"), "so do some files"
    for target in ("other:", "other:music"):
        there.refuses("organize", str(there.source), target, "--copy")
    assert there.music("organize", str(there.source), "vault:new", "--copy").summary["ops_done"] == 1


def test_a_wrong_password_is_noticed_where_the_words_of_the_error_are_secrets(vaults: Callable[..., Vaults]) -> None:
    there = vaults()
    there.add("vault", filename_encryption="off")
    there.add("other", filename_encryption="off", password="wrong")
    there.add_remote("another", type="s3", secret_access_key="password")
    there.fill()
    there.refuses("organize", str(there.source), "other:music", "--copy")


def test_a_folder_with_a_name_like_an_encrypted_one_is_no_sign_where_names_are_as_they_are(vaults: Callable[..., Vaults]) -> None:
    there = vaults()
    there.add("vault", filename_encryption="off")
    name = "AC-DC_Back_In_Black_80"
    assert looks_encrypted(name)
    there.rclone("copyto", str(there.source / "new.flac"), f"vault:{name}/new.flac")
    assert there.music("scan", "vault:").summary["files_seen"] == 1
    assert there.music("organize", str(there.source), "vault:other", "--copy").summary["ops_done"] == 1


def test_a_plan_made_before_the_password_changed_is_refused(vaults: Callable[..., Vaults], tmp_path: Path) -> None:
    there = vaults()
    there.add("vault")
    there.fill()
    plan = str(tmp_path / "plan.jsonl")
    there.music("plan", str(there.source), "vault:music", "-o", plan, codes=(0, 3))
    done = there.music("organize", "vault:music", "--layout", "{{ title }}")
    assert done.summary["ops_done"] == 2
    there.config.write_text("")
    there.add("vault", password="wrong")
    there.refuses("apply", plan, of="vault:")
    there.refuses("undo", done.run, of="vault:")
    (tmp_path / "config.yaml").write_text("locations: {library: 'vault:music'}\n")
    ended = there.music("doctor", "--config", str(tmp_path / "config.yaml"), codes=(7,))
    assert "vault: can decrypt none of" in ended.failed_checks[0]["message"]


def test_remotes_that_lead_to_such_a_crypt_and_crypts_over_others(vaults: Callable[..., Vaults], tmp_path: Path) -> None:
    there = vaults()
    there.add("vault")
    there.add("other", password="wrong")
    there.fill()
    there.add_remote("alias", type="alias", remote="other:")
    there.add_remote("parts", type="combine", upstreams=f"bad=other: good=vault: disk={tmp_path}")
    there.add_remote("both", type="union", upstreams=f"{tmp_path}/elsewhere other:")
    there.add_remote("below", type="alias", remote=there.below)
    there.below = "below:"
    there.add("over", password="wrong")
    new = str(there.source)
    there.refuses("organize", new, "alias:music", "--copy")
    there.refuses("organize", new, "parts:bad/music", "--copy")
    there.refuses("scan", "parts:")
    there.refuses("sync", str(there.source), "both:music")
    there.refuses("organize", new, "over:music", "--copy", of="over:")
    assert there.music("organize", new, "parts:good/music", "--copy").summary["ops_done"] == 1


def test_a_few_foreign_files_are_reported_and_never_touched(vaults: Callable[..., Vaults], tmp_path: Path) -> None:
    there = vaults()
    there.add("vault")
    there.add("other", password="wrong")
    for name in (".DS_Store", "Thumbs.db", "@eaDir/index"):
        there.put(name)
    # What desktops and servers leave everywhere is no reason to refuse a new crypt.
    assert there.music("organize", str(there.source), "other:music", "--copy").summary["ops_done"] == 1
    foreign = there.tree()
    there.fill()
    album = Path(min(there.tree().keys() - foreign.keys())).parent.as_posix()
    for name in ("README.txt", f"{album}/notes.txt"):
        there.put(name)
    for command in (("scan", "vault:"), ("stats", "vault:"), ("organize", "vault:", "--layout", "{{ title }}")):
        ended = there.music(*command, codes=(3,))
        [error] = [one for one in ended.errors if one["code"] == "undecryptable"]
        assert error["message"].startswith("vault: holds 3 names that cannot be decrypted, such as ")
        assert ended.summary["ops_skipped"] >= 2
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    synced = there.music("sync", "vault:", str(mirror), codes=(3,))
    assert (synced.errors[0]["code"], synced.summary["ops_done"]) == ("undecryptable", 2)
    assert {".DS_Store", "Thumbs.db", "@eaDir/index", "README.txt"} < there.tree().keys()
    assert any(name.endswith("/notes.txt") for name in there.tree()), (
        "an emptied folder may go to the trash, with all that it holds"
    )
    assert there.music("stats", "other:music").summary["files_seen"] == 1, "the other library is as it was"

    config = tmp_path / "config.yaml"
    config.write_text("remotes: {vault: {allow_undecryptable: true}}\n")
    assert there.music("scan", "vault:", "--config", str(config)).errors == []
    config.write_text("remotes: {third: {allow_undecryptable: true}}\n")
    there.add("third", password="a third one")
    done = there.music("organize", str(there.source), "third:", "--copy", "--config", str(config))
    assert done.summary["ops_done"] == 1


def test_the_check_costs_no_request_where_names_prove_the_password(
    vaults: Callable[..., Vaults], s3_moto: RemoteServer, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as stack:
        proxy: HttpProxy = stack.enter_context(http_proxy(s3_moto.port))
        there = vaults("s3_moto", proxy.port)
        there.add("vault")
        there.fill()
        config = tmp_path / "config.yaml"
        known, new = [], []
        for allow in ("true", "false"):
            config.write_text(f"remotes: {{vault: {{allow_undecryptable: {allow}}}}}\n")
            scan = ("scan", "vault:music", "--config", str(config))
            there.music(*scan)
            proxy.requests.clear()
            there.music(*scan)
            known.append(len(proxy.requests))
            proxy.requests.clear()
            there.music("organize", str(there.source), "vault:first", "--copy", "--dry-run", "--config", str(config))
            new.append(len(proxy.requests))
        assert known[0] == known[1]
        assert new[0] < new[1] <= new[0] + 2, "a new folder: one look at the root of the crypt"


@pytest.mark.parametrize(
    ("name", "encrypted"),
    [
        ("24ba9154t87vv1mt07pbpdfue0", True),
        ("gbu4ls6meffcqpb4cs2he62jts" + "0" * 26, True),
        ("qzgFR3Tz9x0p-_aB12cdEF", True),
        ("Band", False),
        ("2001", False),
        ("abcdefghijklmnopqrstuvabcd", False),
        ("The Beatles (1962 to 1970)", False),
        ("somebodytoldmethatsong1", False),
    ],
)
def test_which_names_look_encrypted(name: str, *, encrypted: bool) -> None:
    assert looks_encrypted(name) is encrypted


@pytest.mark.parametrize("way", ["--bidirectional", pytest.param("--to-local", marks=pytest.mark.nightly)])
def test_names_that_no_longer_decrypt_do_not_count_as_deleted(vaults: Callable[..., Vaults], tmp_path: Path, way: str) -> None:
    there = vaults()
    there.add("vault")
    there.add("other", password="wrong")
    there.fill()
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    there.put_song("Another/Album/01 Song.flac", 3)
    sync = ("sync", str(mirror), "vault:music", way, *(["--delete"] if way == "--to-local" else []))
    assert there.music(*sync).summary["ops_done"] == 3
    before = {path.relative_to(mirror).as_posix() for path in mirror.rglob("*.flac")}

    encrypted = [there.rclone("cryptdecode", "--reverse", name, "Band").split()[-1] for name in ("vault:", "other:")]
    [folder] = (tmp_path / "below").rglob(encrypted[0])
    folder.rename(folder.with_name(encrypted[1]))
    ended = there.music(*sync, codes=(3,))
    assert [one["code"] for one in ended.errors] == ["undecryptable"]
    assert ended.summary["ops_done"] == 0
    assert {path.relative_to(mirror).as_posix() for path in mirror.rglob("*.flac")} == before
