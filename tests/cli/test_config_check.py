"""`config validate`, `config set`, `doctor` and each use of a remote: all mistakes at once, also those that only rclone sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.cli.main import run


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rclone.conf").write_text(
        f"[disk]\ntype = local\n[nas]\ntype = sftp\nhost = 127.0.0.1\nport = 1\nuser = u\n"
        f"[wrapped]\ntype = alias\nremote = nas:music\n[here]\ntype = alias\nremote = {tmp_path}\n"
    )
    path = tmp_path / "config.yaml"
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_CONFIG", str(path))
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("RCLONE_CONFIG", str(tmp_path / "rclone.conf"))
    return path


ALL = """\
transfers: many
bandwidth: fast
max_delete: lots
nonsense: 1
exclude: [a, ""]
layouts: [{template: "{{ nonsense }}"}]
cloud:
  provider: s3
  bucket: s3://music
  chunk_size: 1
  bandwidth_limit: fast
  options: {regoin: x}
remotes:
  nas: {profile: nosuch, prices: nosuch, options: {hots: x}, secrets: {pas: {env: A}}}
  wrapped: {secrets: {remote: plain}}
  nass: {prices: r2}
jobs: {n: [{scan: {location: ./a, settle: soon}}, {scan: {location: ./a}, dedup: {locations: [./a]}}]}
"""


def test_validate_names_every_mistake_with_its_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(ALL)
    assert run(["config", "validate"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith(f"error: {file}:") for line in lines)
    found = [line.removeprefix(f"error: {file}:") for line in lines]
    for begin in (
        "1: transfers: expected a number",
        "2: bandwidth fast: write a rate",
        "3: max_delete lots: write a number",
        "4: unknown key `nonsense`",
        "5: exclude: ",
        "6: layouts.0.template: ",
        "9: cloud.bucket: write it without s3://",
        "10: cloud.chunk_size: 1 bytes",
        "11: cloud.bandwidth_limit: fast: write",
        "12: cloud.options.regoin: rclone's s3 has no option regoin; did you mean region?",
        "14: remotes.nas.profile: there is no profile 'nosuch'",
        "14: remotes.nas.prices: there is no price list 'nosuch'",
        "14: remotes.nas.options.hots: rclone's sftp has no option hots; did you mean host?",
        "14: remotes.nas.secrets.pas: rclone's sftp has no option pas; did you mean pass?",
        "15: remotes.wrapped.secrets.remote: a secret does not belong",
        "16: remotes.nass: there is no such remote, and nothing here takes effect: did you mean nas",
        "17: jobs.n: a step is one command",
        "17: jobs.n.0.scan.settle soon",
    ):
        assert any(one.startswith(begin) for one in found), (begin, found)
    numbers = [int(line.partition(":")[0]) for line in found]
    assert numbers == sorted(numbers)
    assert len(found) == len({*found}) == 18
    assert run(["scan", "./x"]) == 2, "other commands name all that keeps the file from being read"
    assert "unknown key `nonsense`" in capsys.readouterr().err


def test_each_mistake_is_an_error_of_its_own_for_programs(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("transfers: many\nlocatoins: {}\n")
    assert run(["config", "validate", "--json"]) == 2
    *errors, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert [(one["type"], one["code"]) for one in errors] == [("error", "config")] * 2
    assert summary["exit_code"] == 2


@pytest.mark.parametrize("command", [["scan", "nas:x"], ["scan", "wrapped:"], ["remotes", "check", "nas"], ["doctor"]])
@pytest.mark.parametrize("given", ["options: {hots: x}", "secrets: {hots: {env: HOME}}"])
def test_an_option_that_the_backend_does_not_have_is_refused_where_its_remote_is_used(
    file: Path, command: list[str], given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """rclone would ignore it. Also through a remote that wraps it; but not in commands about something else."""
    file.write_text(f"remotes:\n  nas:\n    {given}\n")
    assert run(command) == 2
    says = f"{file}:3: remotes.nas.{given.partition(':')[0]}.hots: rclone's sftp has no option hots"
    assert says in "".join(capsys.readouterr())
    assert run(["scan", "here:"]) == 0


def test_options_of_rclone_itself_are_taken_and_their_names_checked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("remotes: {here: {options: {override.no_check_certificate: 'true', global.bwlimit: '0'}}}\n")
    assert run(["config", "validate"]) == 0
    assert run(["scan", "here:"]) == 0
    assert run(["config", "set", 'remotes.here.options."override.no-check-certificat"', "x"]) == 2
    says = "rclone has no option override.no-check-certificat; did you mean override.no_check_certificate?"
    assert says in capsys.readouterr().err
    assert run(["config", "set", "remotes.here.options", "{nosuch.bwlimit: '1'}"]) == 2
    assert "rclone's alias has no option nosuch.bwlimit" in capsys.readouterr().err


def test_options_that_are_added_to_a_remote_also_count_through_one_that_wraps_it(file: Path, tmp_path: Path) -> None:
    from orchestrator.actions.session import open_session  # noqa: PLC0415 - it reads the variables of the fixture

    file.write_text("remotes: {disk: {options: {nounc: 'true'}}}\n")
    with (tmp_path / "rclone.conf").open("a") as config:
        config.write(f"[onto]\ntype = alias\nremote = disk:{tmp_path}\n")
    with open_session() as session:
        session.locations("onto:")
        assert session.rclone.option("disk:", "nounc") == "true"


def test_an_unknown_type_and_an_unknown_scheme_are_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("remotes: {r: {type: sfpt}}\nschemes: {s3: my-aws}\n")
    for command in (["config", "validate"], ["doctor"]):
        assert run(command) == 2
        shown = "".join(capsys.readouterr())
        assert f"{file}:1: remotes.r.type: there is no provider 'sfpt'; did you mean sftp?" in shown
        assert f"{file}:2: schemes.s3: there is no remote my-aws" in shown


def test_what_rclone_cannot_be_asked_about_is_reported_and_not_judged(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("remotes: {nosuch: {prices: r2}}\n")
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_RCLONE", "/no/rclone")
    assert run(["config", "validate", "--rclone", "/no/rclone"]) == 0
    assert "warning: the options and names of remotes were not checked: /no/rclone" in capsys.readouterr().err


def test_other_mistakes_of_the_file_do_not_keep_a_key_from_being_set(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("bandwidth: fast\nmax_delete: lots\n")
    assert run(["config", "set", "bandwidth", "1M"]) == 0
    assert "warning: " in (error := capsys.readouterr().err)
    assert "max_delete lots" in error
    assert file.read_text() == "bandwidth: 1M\nmax_delete: lots\n"
    file.write_text("transfers: many\nbandwidth: fast\n")
    assert run(["config", "set", "transfers", "4"]) == 0, "a value that cannot be read can be replaced"
    assert file.read_text() == "transfers: 4\nbandwidth: fast\n"


BROKEN = """\
transfers: lots
layouts: 5
nonsense: {a: 1}
cloud: {provider: s3, bucket: [x], regoin: y}
jobs: {n: [{scan: {location: ./a, sttle: 5s}, sync: {}}], m: 7}
dedup: {}
"""


@pytest.mark.parametrize(
    ("key", "value", "gone"),
    [
        ("transfers", "4", ": transfers: "),
        ("layouts", "[{template: '{{ title }}'}]", ": layouts: "),
        ("cloud.bucket", "music", "cloud.bucket: expected"),
        ("cloud.region", "eu-west-1", ""),
        ("jobs.m", "[{scan: {location: ./b}}]", "jobs.m: expected"),
        ("jobs.o", "[{scan: {location: ./b}}]", ""),
        ("bandwidth", "1M", ""),
    ],
)
def test_a_file_with_several_unreadable_keys_is_repaired_one_by_one(
    file: Path, key: str, value: str, gone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(BROKEN)
    assert run(["config", "validate"]) == 2
    before = capsys.readouterr().err
    assert run(["config", "set", key, value]) == 0
    warned = capsys.readouterr().err
    assert gone in before
    assert gone == "" or gone not in warned
    assert warned.count("warning: ") >= before.count("error: ") - (gone != "") > 4


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("transfers", "lots", "transfers: expected a number"),
        ("transfers", "none", "transfers: expected a number"),
        ("nonsense.b", "1", "unknown key `nonsense`"),
        ("nonsense", "1", "unknown key `nonsense`"),
        ("cloud.regoin", "z", "unknown key `cloud.regoin`"),
        ("bandwidth", "fast", "bandwidth fast: write a rate"),
        ("dedup.action", "maybe", "dedup.action: expected one of"),
        ("jobs.o", "[{scan: {location: ./a}, dedup: {locations: [./a]}}]", "a step is one command"),
    ],
)
def test_in_such_a_file_no_wrong_key_is_set(
    file: Path, key: str, value: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(BROKEN)
    assert run(["config", "set", key, value]) == 2
    assert says in capsys.readouterr().err
    assert file.read_text() == BROKEN


def test_a_mistake_that_another_one_hid_keeps_nothing_from_being_set(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("jobs: {n: [{scan: {location: ./a}, dedup: {locations: [./a]}}, 7]}\n")
    assert run(["config", "set", "jobs.n.1", "{scan: {location: ./b}}"]) == 0
    assert "a step is one command" in capsys.readouterr().err
    file.write_text("transfers: 4\ntransfers: 5\n")
    assert run(["config", "set", "bandwidth", "1M"]) == 2
    assert "not written: " in (error := capsys.readouterr().err)
    assert f"{file}:2: the key `transfers` is given twice" in error


def test_a_remote_needs_its_type_first(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "set", "remotes.new.options.host", "x"]) == 2
    assert "or give it a `type`" in capsys.readouterr().err
    assert not file.exists()
    assert run(["config", "set", "remotes.new.type", "sftp"]) == 0
    assert run(["config", "set", "remotes.new.options.host", "x"]) == 0
    assert run(["config", "set", "remotes.nas.prices", "r2"]) == 0, "of rclone.conf"


def test_validate_without_a_file_names_what_writes_one(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "validate"]) == 2
    assert f"{file}: no such config file; `music-orchestrator config init` writes one" in capsys.readouterr().err


def test_what_works_but_is_doubtful_is_a_warning(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("locations: {a: ./here, b: a, c: /srv}\nremotes:\n  nas: {options: {host: h, pass: unseen}}\n")
    assert run(["config", "validate"]) == 0
    warned = capsys.readouterr().err
    assert f"warning: {file}:1: locations.a: ./here is another folder wherever the program starts" in warned
    assert f"warning: {file}:3: remotes.nas.options.pass: a secret does not belong in a config file" in warned
    assert "unseen" not in warned
    assert warned.count("warning: ") == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cloud: {retry_attempts: many, provider: foo}", ["cloud.retry_attempts: expected", "no provider 'foo'"]),
        ("jobs: {n: [{scan: {location: ./a, settle: [x]}}, {scan: {location: b}}]}", ["settle: expected", "no location b "]),
        ("dedup: {keep: [nonsense], same_format_only: 7}", ["same_format_only: expected", "nonsense"]),
        # What depends on the key that cannot be read is not judged.
        ("locations: {lib: [1]}\njobs: {n: [{scan: {location: lib}}]}", ["locations.lib: expected"]),
        ("cloud: {provider: [x], delete_after_sync: true, bucket: 's3://b'}", ["cloud.provider: expected"]),
        ("jobs: {n: [{sync: {a: /a, b: /b, mode: [x], delete_after: true}}]}", ["mode: expected"]),
    ],
)
def test_a_key_that_cannot_be_read_hides_only_what_depends_on_it(
    file: Path, text: str, says: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(f"{text}\n")
    assert run(["config", "validate"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(says), lines
    assert all(any(part in line for line in lines) for part in says), lines


def test_a_key_of_another_provider_has_no_effect_which_is_a_warning(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("cloud: {provider: dropbox, region: eu-west-1, endpoint: 'https://s3.example.org'}\n")
    for command in (["config", "validate"], ["doctor"]):
        run(command)
        shown = "".join(capsys.readouterr())
        assert f"{file}:1: cloud.region has no effect: dropbox has no region; leave it out" in shown
        assert "cloud.endpoint has no effect" in shown
    file.write_text("cloud: {provider: gcs, bucket: b, region: us}\n")
    assert run(["config", "validate"]) == 0
    assert "no effect" not in capsys.readouterr().err
