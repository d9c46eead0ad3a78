"""The `config` commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from orchestrator.cli.main import run
from orchestrator.track import Track
from tests.audio import make_track


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.yaml"
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_CONFIG", str(path))
    return path


def test_init_does_not_replace_music_even_by_force(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(b"fLaC\0\0\0\x22")
    assert run(["config", "init", "--force"]) == 2
    assert f"{file} is no config file: give --config another name" in capsys.readouterr().err
    assert file.read_bytes() == b"fLaC\0\0\0\x22"
    file.write_text("transfers: 3\n")
    assert run(["config", "init", "--force"]) == 0


def test_init_set_get_show_validate(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "init"]) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert run(["config", "init"]) == 2, "an existing file is not replaced"
    assert run(["config", "set", "cloud.provider", "s3"]) == 0
    assert run(["config", "set", "cloud.options.access_key_id", "hush-hush"]) == 0
    assert run(["config", "set", "jobs.nightly", "[{scan: {location: 'gdrive:x'}}]"]) == 0
    capsys.readouterr()
    assert run(["config", "get", "cloud.provider"]) == 0
    assert capsys.readouterr().out == "s3\n"
    assert run(["config", "get", "transfers"]) == 0
    template = "{{ artist }}/{% if track %}{{ track }} {% endif %}{{ title }}"
    assert run(["config", "set", "layout", template]) == 0, "a template needs no YAML quotes"
    assert run(["config", "validate"]) == 0
    capsys.readouterr()
    assert run(["config", "get", "layout"]) == 0
    assert capsys.readouterr().out == f"{template}\n"
    assert run(["config", "show"]) == 0
    shown = capsys.readouterr().out
    assert "hush-hush" not in shown
    assert "provider: s3" in shown
    assert run(["config", "show", "--json"]) == 0
    config, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert config["config"]["cloud"]["provider"] == "s3"
    assert "hush-hush" not in json.dumps(config)
    assert summary["command"] == "config show"


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$ref"] == "#/$defs/Config"
    assert schema["$defs"]["Config"]["properties"]["replace"]["additionalProperties"] == {"type": "string"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("layouts: [{template: '{{ nonsense }}'}]\n", "nonsense"),
        ("cloud: {sync_mode: bidirectional, delete_after_sync: true}\n", "set sync_mode to upload or download"),
        ("jobs: {x: [{sync: {a: /a, b: /b, mode: bidirectional, delete_after: true}}]}\n", "delete_after"),
        ("jobs: {x: [{sync: {a: /a, b: /b, mode: to-cloud, delete: true, delete_after: true}}]}\n", "delete_after"),
        ("cloud: {provider: s3, delete_after_sync: true}\n", "set sync_mode to upload or download"),
        ("cloud: {sync_mode: both}\n", "sync_mode"),
        ("\ncloud: {bucket: b}\n", ":2: cloud: the provider is missing"),
        ("cloud: {provider: gdirve}\n", ":1: cloud.provider: there is no provider 'gdirve'; did you mean gdrive?"),
        ("cloud: {provider: s3, credentials_path: /no.csv}\n", ":1: cloud.credentials_path: /no.csv: there is no such file"),
        ("layout: no-such-preset\n", "no-such-preset"),
        ("layout: '%artist%/%title%'\n", ":1: layout: the layout '%artist%/%title%' is a template of foobar2000"),
        ("layout: %artist%/%title%\n", ":1: not valid YAML: found character '%' that cannot start any token; put a template in"),
        (
            "layouts:\n  - template: {{ artist }}/{{ title }}\n",
            ":2: not valid YAML: expected <block end>, but found '<scalar>'; put",
        ),
        ("layout: {{ title }}\n", ":1: layout: expected text, got a mapping; put a template in single quotes"),
        (
            "replace:\n  ':': ' -'\n  '?': a/b\n",
            ":3: replace: 'a/b' cannot stand for '?': '/' is not allowed in names on every system",
        ),
        ("replace: {':': '|'}\n", ":1: replace: '|' cannot stand for ':': '|' is not allowed in names on every system"),
        ('replace: {":": "\\a"}\n', ":1: replace: '\\x07' cannot stand for ':'"),
        ("replace: {'&': and, a: b}\n", ":1: replace: 'and' cannot stand for '&': it has 'a', which is replaced itself"),
        ('replace: {"\\u00e9": "e\\u0301"}\n', ":1: replace: 'é' cannot stand for 'é': it has 'é', which is replaced itself"),
        ("replace: {' ': _}\n", ":1: replace: write the characters to replace"),
        ("replace: ':'\n", ":1: replace: expected"),
        ("\nmax_delete: lots\n", ":2: max_delete lots: write"),
        ("bandwidth: fast\n", ":1: bandwidth fast: write"),
        ("jobs:\n  n:\n    scan:\n      location: ./a\n      settle: soon\n", ":5: jobs.n.0.scan.settle soon: write"),
        (f"jobs: {{n: {{scan: {{location: ./a, settle: '{'9' * 400}'}}}}}}\n", "write a time"),
        ("dedup: {keep: [bitrat]}\n", ":1: dedup.keep: unknown criterion 'bitrat'"),
        ("tags:\n  legacy_encoding: klingon\n", ":2: tags.legacy_encoding klingon: write auto, or an encoding"),
        ("tags: {legacy_encoding: hex}\n", ":1: tags.legacy_encoding hex: write auto"),
        ("leftovers: ../x\n", ":1: leftovers: '../x' must be a path below the target"),
        ("jobs: {n: {organize: {source: ./a, untagged: /x}}}\n", "jobs.n.0.organize.untagged: '/x'"),
        ("jobs: {n: {organize: {source: ./a, keep: nonsense}}}\n", "jobs.n.0.organize.keep: unknown criterion 'nonsense'"),
        (
            "\nnames_as_tags: '{artst}/{title}'\n",
            ":2: names_as_tags: the pattern '{artst}/{title}' for names cannot be used: unknown field",
        ),
        (
            "jobs: {n: {organize: {source: ./a, names_as_tags: [auto, 'x']}}}\n",
            "jobs.n.0.organize.names_as_tags: the pattern 'x' for names",
        ),
        ("remotes:\n  r:\n    profile: nosuch\n", ":3: remotes.r.profile: there is no profile 'nosuch'"),
        ('layout: "{{ title }}\\uD800"\n', ":1: layout: not valid text"),
        ('locations: {"\\uD800": x}\n', ":1: locations: a key is not valid text"),
        ("locatoins: {}\n", "did you mean `locations`"),
        ("locations:\n  a: 's3,secret_access_key=ab/SECRET:bucket'\n", ":2: locations.a: options inside a location"),
        ("locations: {a: 's3://KEY:SEC/SECRET@bucket'}\n", ":1: locations.a: s3://: no user name or password"),
    ],
)
def test_validate_finds_what_types_cannot(file: Path, text: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(text)
    assert run(["config", "validate"]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert str(file) in error
    assert "SECRET" not in error


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("jobs.nightly.foo", "x", "unknown key `jobs.nightly.foo`"),
        ("jobs.nightly.7", "{scan: {location: ./a}}", "there are 1"),
        ("layouts.5.template", "x", "there are 1"),
        ("layouts.foo", "x", "`foo` must be the number"),
        ("transfers.x", "1", "holds a value"),
        ("cloud.options", "{secret_access_key: hush}", "the option secret_access_key is a secret"),
        ("remotes.r", "{options: {pass: hush}}", "the option pass is a secret"),
        ("cloud.options.sas_url", "hush", "the option sas_url is a secret"),
        ("transfers", "9" * 5000, "expected a number"),
        ("locations.w", "bad\udcff", "not UTF-8 text"),
        ("cloud.remote_path", '"\\uD800"', "not valid text"),
        ("bandwidth", "fast", "bandwidth fast: write a rate"),
        ("max_delete", "lots", "max_delete lots: write a number"),
        ("layout", "{{ nonsense }}", "nonsense"),
        ("remotes.r.prices", "cheap", "there is no price list 'cheap'"),
        ("remotes.r.options.acces_key_id", "x", "rclone's s3 has no option acces_key_id; did you mean access_key_id?"),
        ("remotes.nosuch.prices", "r2", "remotes.nosuch: there is no such remote, and nothing here takes effect"),
        ("cloud.provider", "aws", "there is no provider 'aws': write s3"),
        ("cloud", "{provider: s3, bucket: 's3://music'}", "cloud.bucket: write it without s3://, as music"),
        ("tags.legacy_encoding", "klingon", "write auto"),
        ("dedup.keep", "[bitrat]", "unknown criterion"),
        ("jobs.nightly.0.scan.settle", "soon", "write a time"),
        ("leftovers", "../x", "must be a path below"),
    ],
)
def test_a_value_that_cannot_be_set_is_2_and_not_written(
    file: Path, key: str, value: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "jobs: {nightly: [{scan: {location: ./a}}]}\nlayouts: [{template: '{{ title }}'}]\ntransfers: 3\n"
    text += "remotes: {r: {type: s3}}\n"
    file.write_text(text)
    assert run(["config", "set", key, value]) == 2
    assert says in capsys.readouterr().err
    assert file.read_text() == text


def test_a_job_that_is_a_list_of_steps_can_get_a_time(file: Path) -> None:
    file.write_text("jobs:\n  nightly:\n    - scan: {location: ./a}  # the inbox\n")
    assert run(["config", "set", "jobs.nightly.at", "02:30"]) == 0
    assert "# the inbox" in file.read_text()
    assert run(["config", "validate"]) == 0
    assert run(["config", "set", "jobs.nightly.steps.0.scan.location", "./b"]) == 0


def test_what_can_be_set_is_written(file: Path) -> None:
    file.write_text(
        "jobs: {nightly: [{scan: {location: ./a}}]}\nlayouts: [{template: '{{ title }}'}]\nremotes: {r: {type: sftp}}\n"
    )
    assert run(["config", "set", "jobs.nightly.0.scan.location", "./b"]) == 0
    assert run(["config", "set", "remotes.r.options", "{host: x, key_file: y}"]) == 0
    assert run(["config", "set", "layouts.0.template", "{{ album }}/{{ title }}"]) == 0
    assert run(["config", "validate"]) == 0


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("TRANSFERS=0", "MUSIC_ORCHESTRATOR_TRANSFERS: expected a number"),
        ("TRANSFERS=many", "MUSIC_ORCHESTRATOR_TRANSFERS: expected a number or nothing, got `many`"),
        ("MAX_DELETE=x", "MUSIC_ORCHESTRATOR_MAX_DELETE x: write"),
        ("BANDWIDTH=x", "MUSIC_ORCHESTRATOR_BANDWIDTH x: write"),
        ("RCLONE=/nosuch", "/nosuch (MUSIC_ORCHESTRATOR_RCLONE)"),
        ("LAYOUT=bad\udcff", "MUSIC_ORCHESTRATOR_LAYOUT: not UTF-8 text"),
    ],
)
def test_a_wrong_variable_is_reported_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], setting: str, says: str
) -> None:
    make_track(tmp_path / "music" / "x.flac", "flac", Track(title=("T",), artist=("A",), album=("B",), track=1))
    name, _, value = setting.partition("=")
    monkeypatch.setenv(f"MUSIC_ORCHESTRATOR_{name}", value)
    assert run(["organize", str(tmp_path / "music"), "--dry-run", "--state-dir", str(tmp_path / "state")]) == 2
    assert says in capsys.readouterr().err


def test_a_misspelled_variable_or_command_is_reported_with_the_right_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_TRANSFER", "3")
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_MY_KEYS", "named by credentials_env, perhaps")
    assert run(["config", "get", "transfers"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "8\n", "the default"
    assert (
        shown.err
        == "warning: the variable MUSIC_ORCHESTRATOR_TRANSFER has no effect: did you mean MUSIC_ORCHESTRATOR_TRANSFERS?\n"
    )
    assert run(["organise", "x"]) == 2
    assert "(did you mean organize?)" in capsys.readouterr().err


def test_get_hides_what_show_hides(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(
        "cloud: {provider: s3, options: {secret_access_key: hush}}\nremotes: {r: {options: {pass: hush}}}\n"
        "notify: {healthcheck: 'https://hush'}\n"
    )
    keys = ("cloud", "cloud.options", "cloud.options.secret_access_key", "remotes.r.options", "remotes.r", "notify.healthcheck")
    for key in keys:
        assert run(["config", "get", key]) == 0
        assert run(["config", "get", key, "--json"]) == 0
        out = capsys.readouterr().out
        assert "hush" not in out
        assert "(hidden)" in out


def test_validate_needs_no_rclone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("locations: {a: 'absent:x'}\n")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_RCLONE", "/nowhere/rclone")
    assert run(["config", "validate"]) == 0
    assert run(["config", "validate", str(file)]) == 0
    assert run(["config", "validate", "/no/such/file"]) == 2


def test_the_command_line_overrides_the_environment_overrides_the_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from_file, from_environment, from_option = (tmp_path / name for name in ("one", "two", "three"))
    file.write_text(f"state_dir: {from_file}\n")
    assert run(["runs"]) == 0
    assert from_file.is_dir()
    monkeypatch.setenv("MUSIC_ORCHESTRATOR_STATE_DIR", str(from_environment))
    assert run(["runs"]) == 0
    assert from_environment.is_dir()
    assert run(["runs", "--state-dir", str(from_option)]) == 0
    assert from_option.is_dir()
    monkeypatch.delenv("MUSIC_ORCHESTRATOR_STATE_DIR")
    file.write_text("")
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path / 'systemd'}:/other")
    assert run(["runs"]) == 0
    assert (tmp_path / "systemd").is_dir()


def test_a_broken_file_stops_other_commands_with_its_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("\nnonsense: 1\n")
    assert run(["scan", "./x"]) == 2
    assert f"{file}:2: unknown key `nonsense`" in capsys.readouterr().err


FULL = """\
# mine
transfers: 4  # four

# the log
log_file: /tmp/log
locations:
  a: /srv/a  # first
  # about b
  b: /srv/b
locatons: {x: y}
exclude: [one, two]
jobs:
  n:
    at: "02:30"
    steps:
      - scan: {location: a}
      - scan:
          location: b
"""


@pytest.mark.parametrize(
    ("key", "gone"),
    [
        ("transfers", "transfers: 4  # four\n"),
        ("log_file", "log_file: /tmp/log\n"),
        ("locations.b", "  b: /srv/b\n"),
        ("locatons", "locatons: {x: y}\n"),
        ("locatons.x", "locatons: {x: y}\n"),
        ("exclude", "exclude: [one, two]\n"),
        ("jobs.n.at", '    at: "02:30"\n'),
        ("jobs.n.steps.1", "      - scan:\n          location: b\n"),
        ("jobs", FULL[FULL.index("jobs:") :]),
    ],
)
def test_unset_takes_the_lines_of_one_key_and_no_others(file: Path, key: str, gone: str) -> None:
    text = FULL.replace(" b}", " a}") if key == "locations.b" else FULL
    text = text.replace("location: b", "location: a") if key == "locations.b" else text
    file.write_text(text)
    assert run(["config", "unset", key]) == 0
    assert file.read_text() == text.replace(gone, "")


def test_unset_makes_no_comment_a_part_of_the_text_above_it(file: Path) -> None:
    file.write_text("layout: |\n  {{ artist }}/{{ title }}\nbandwidth: 1M\n  # a slow line\ntransfers: 4\n")
    assert run(["config", "unset", "bandwidth"]) == 0
    assert yaml.safe_load(file.read_text()) == {"layout": "{{ artist }}/{{ title }}\n", "transfers": 4}


def test_unset_of_one_among_others_in_a_line_of_what_is_missing_and_of_what_is_needed(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("exclude: [one, two]  # both\nlocations: {a: /a, b: /b}\njobs: {n: [{scan: {location: a}}]}\n")
    assert run(["config", "unset", "exclude.0"]) == 0
    assert run(["config", "unset", "locations.b"]) == 0
    text = file.read_text()
    assert yaml.safe_load(text) == {"exclude": ["two"], "locations": {"a": "/a"}, "jobs": {"n": [{"scan": {"location": "a"}}]}}
    assert "# both" in text
    assert run(["config", "unset", "locations.a"]) == 2
    assert "not written: " in capsys.readouterr().err
    assert run(["config", "unset", "bandwidth"]) == 0
    assert "bandwidth is not set in" in capsys.readouterr().out
    assert run(["config", "unset", "bandwith"]) == 2
    assert run(["config", "unset", "exclude", "--dry-run"]) == 0
    assert file.read_text() == text
