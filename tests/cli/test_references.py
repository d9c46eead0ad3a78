"""References to secrets: which are refused, and what is read from where they lead. No message repeats a secret."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from orchestrator.config import loading
from orchestrator.config.references import Reference, References
from orchestrator.errors import AuthError, ConfigError
from orchestrator.rclone import secret_command
from orchestrator.rclone.secret_command import printed_by


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("remotes: {nas: {secrets: {pass: HUSH}}}", "c.yaml:1: remotes.nas.secrets.pass: a secret does not belong"),
        ("remotes: {nas: {secrets: {pass: {}}}}", "remotes.nas.secrets.pass: give one of env, file, credential, command"),
        ("remotes: {nas: {secrets: {pass: {env: A, file: b}}}}", "remotes.nas.secrets.pass: give one of env"),
        ("remotes: {nas: {secrets: {pass: {env: 'HUSH+'}}}}", "secrets.pass: `env` is the name of a variable"),
        ("remotes: {nas: {secrets: {pass: {credential: a/HUSH}}}}", "secrets.pass: `credential` is the name"),
        ("remotes: {nas: {secrets: {pass: {command: cat HUSH}}}}", "pass.command: expected a list, got another value"),
        ("remotes: {nas: {secrets: {pass: {command: []}}}}", "secrets.pass: `command` is a list"),
        ("remotes: {nas: {options: {pass: HUSH}, secrets: {pass: {env: A}}}}", "secrets.pass: leave it out here or under"),
        ("remotes: {nas: {secrets: {a=b: {env: A}}}}", "remotes.nas.secrets: the name of an option must not contain ="),
        (
            "cloud: {provider: s3, credentials_env: A, secrets: {session_token: {env: B}}}",
            "cloud.secrets: leave out session_token",
        ),
        ("rclone_config_password: HUSH", "write where it is instead, such as {env: NAS_PASSWORD}"),
        ("rclone_config_password: {env: 1}", "rclone_config_password: `env` is the name of a variable"),
    ],
)
def test_what_cannot_be_a_reference_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loading.load_text(text.encode(), Path("c.yaml"), {})
    assert says in caught.value.message
    assert "HUSH" not in caught.value.message


PEM = "-----BEGIN KEY-----\nabc\n-----END KEY-----"


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"simple\n", "simple"),
        (b" with blanks \r\n", " with blanks "),
        (b"the password\nuser: me\n", "the password"),
        (b"\xef\xbb\xbfof an editor", "of an editor"),
        (PEM.encode() + b"\n", PEM),
        (b'{"a":\n "b"}\n', '{"a":\n "b"}'),
    ],
)
def test_every_source_gives_the_same_secret(tmp_path: Path, content: bytes, secret: str) -> None:
    (tmp_path / "file").write_bytes(content)
    environment = {"HOME": str(tmp_path), "CREDENTIALS_DIRECTORY": str(tmp_path), "X": content.decode("utf-8-sig")}
    references = References(environment, printed_by)
    program = [
        sys.executable,
        "-c",
        "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())",
        str(tmp_path / "file"),
    ]
    assert references.text(Reference(file="~/file"), "a") == secret
    assert references.text(Reference(credential="file"), "b") == secret
    assert references.text(Reference(command=program), "c") == secret
    assert references.text(Reference(env="X"), "d") == secret.strip()
    (tmp_path / "file").unlink()
    assert references.text(Reference(command=program), "c") == secret, "it is read once"


def failing(code: str) -> Reference:
    """A program that fails, or asks."""
    return Reference(command=[sys.executable, "-c", code])


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        (Reference(env="X"), "key: X is not set"),
        (Reference(file="HUSH" * 100), "key: there is no such file"),
        (Reference(file="HUSH+/8e="), "key: there is no such file of credentials: write its path"),
        (Reference(file="/run/nas"), "key: /run/nas: there is no such file of credentials"),
        (Reference(file="nas.txt"), "key: nas.txt: there is no such file of credentials, in /"),
        (Reference(file="~"), "key: ~: is a folder, not a file of credentials"),
        (Reference(file="empty"), "key: what it leads to is empty"),
        (Reference(file="long"), "has more than 64 KiB"),
        (Reference(file="nul"), "it contains NUL"),
        (Reference(file="latin1"), "is not UTF-8 text"),
        (Reference(credential="nas"), "key: $CREDENTIALS_DIRECTORY is not set: start the program by a systemd unit"),
        (Reference(command=["no-such-program", "HUSH"]), "key: no-such-program is not an executable program"),
        (failing("print('HUSH'); raise SystemExit(3)"), "failed with exit code 3: it must print the secret without a question"),
        (failing("print(input('HUSH'))"), "failed with exit code 1"),
        (failing("open('/dev/tty')"), "failed with exit code 1"),
        (failing("import time; time.sleep(600)"), "did not end within 1 s"),
        (failing("import os, time; os.close(1); time.sleep(600)"), "did not end within 1 s"),
        (Reference(command=["yes", "HUSH"]), "has more than 64 KiB"),
        (failing("print('HUSH' * 30_000)"), "has more than 64 KiB"),
    ],
)
def test_a_secret_that_cannot_be_read_is_6_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: Reference, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(secret_command, "LONGEST_S", 1)
    for name, content in (("empty", b"\n"), ("long", b"a" * 70_000), ("nul", b"HUSH\0"), ("latin1", b"HUSH\xe9")):
        Path(name).write_bytes(content)
    with pytest.raises(AuthError) as caught:
        References({"HOME": str(tmp_path), "PATH": os.environ["PATH"]}, printed_by).text(reference, "key")
    assert says in caught.value.message
    assert "HUSH" not in caught.value.message
    assert "\n" not in caught.value.message


def test_what_a_program_leaves_running_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_command, "LONGEST_S", 10)
    assert printed_by(["sh", "-c", "sleep 30 & echo $!"]).strip().isdigit()


def test_a_program_that_takes_too_long_ends_with_all_that_it_has_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_command, "LONGEST_S", 1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(AuthError, match="did not end within 1 s"):
        printed_by(["sh", "-c", f"sleep 600 > {pipe} & wait"])
    os.set_blocking(reading, True)
    assert os.read(reading, 1) == b"", "its end is reached when the last program that writes there has ended"
    os.close(reading)
