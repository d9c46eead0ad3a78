"""The config file: what it can contain, and how its mistakes are reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from orchestrator.config import edit, loading, model
from orchestrator.config.masking import masked
from orchestrator.config.schema import schema
from orchestrator.config.template import template
from orchestrator.errors import ConfigError, ExitCode, UsageError

FULL = """\
locations:
  library: gdrive:Music
schemes: {s3: my-aws}
cloud: {provider: s3, bucket: 2024, region: no, remote_path: /music}
remotes:
  my-aws: {options: {server_side_encryption: AES256, chunk_size: 64}, profile: s3}
layouts:
  - {when: "compilation", template: "Compilations/{{ album }}/{{ title }}"}
  - {template: default}
dedup: {action: off, keep: [lossless, bitrate, oldest], reference: []}
jobs:
  nightly:
    - organize: {source: gdrive:Inbox, target: library, dedup: quarantine, max_delete: 10%, mirror: [/mnt/a, "s3://b/c"]}
    - sync: {a: /srv/music, b: library, mode: bidirectional}
  weekly:
    dedup: {locations: [library]}
  inbox:
    organize: {source: /in, mirror: library}
notify: {urls: ["https://example.org/hook"], healthcheck: https://hc.example.org/x}
"""


def parse(text: str) -> model.Config:
    return loading.parse(text.encode(), Path("c.yaml"))


def test_every_section_is_understood() -> None:
    found = parse(FULL)
    assert found.locations == {"library": "gdrive:Music"}
    assert found.schemes.s3 == "my-aws"
    assert found.cloud is not None
    # YAML 1.2: "no" is a word; a number is the text that was typed, if the key holds text.
    assert (found.cloud.bucket, found.cloud.region) == ("2024", "no")
    assert found.remotes["my-aws"].options == {"server_side_encryption": "AES256", "chunk_size": "64"}
    assert found.dedup.action == "off"
    assert [rule.when for rule in found.layouts] == ["compilation", None]
    assert found.jobs["nightly"][1].sync is not None
    assert found.jobs["weekly"][0].dedup is not None, "a job that is a single mapping is a list of one"
    assert found.jobs["nightly"][0].organize is not None
    assert found.jobs["nightly"][0].organize.max_delete == "10%"
    assert found.jobs["nightly"][0].organize.mirrors == ("/mnt/a", "s3://b/c")
    inbox = found.jobs["inbox"][0].organize
    assert inbox is not None
    assert inbox.mirrors == ("library",)


@pytest.mark.parametrize("text", ["", "# nothing but words\n", "---\n", "locations:\ncloud:\njobs:\n"])
def test_an_empty_file_is_all_defaults(text: str) -> None:
    assert parse(text) == model.Config()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dedup:\n  axtion: off\n", "c.yaml:2: unknown key `dedup.axtion`; did you mean `action`?"),
        ("locatoins: {}\n", "c.yaml:1: unknown key `locatoins`; did you mean `locations`?"),
        ("jobs:\n  n:\n    - organize: {source: a, max-delete: 3}\n", "did you mean `max_delete`?"),
        ("\n\ntransfers: 0\n", "c.yaml:3: transfers: must be at least 1"),
        ("transfers: many\n", "c.yaml:1: transfers: expected a number, got `many`"),
        ("dedup: {action: delete}\n", "expected one of off, report, quarantine, got `delete`"),
        ("a: [\n", "not valid YAML"),
        ("- 1\n", "expected a mapping, got a list"),
        ("locations: {a: b}\nlocations: {a: c}\n", "c.yaml:2: the key `locations` is given twice"),
        ("layouts:\n- {when: x}\n", "c.yaml:2: layouts.0: `template` is missing"),
        ("layouts:\n- template: a\n- template: b\n", "only the last rule may have no `when`"),
        ("jobs:\n  n:\n    - {}\n", "c.yaml:3: jobs.n: a step is one command"),
        ("locations: {a: null}\n", "locations.a: expected text"),
        ("\ttransfers: 1\n", "c.yaml:1: not valid YAML: a tab: indent with spaces"),
        ("exclude:\n- Podcasts\n- /\n", "c.yaml:3: exclude: the glob '/' is empty"),
        ('include: ["[b-a].mp3"]\n', "c.yaml:1: include: invalid glob '[b-a].mp3'"),
        ("include: Podcasts\n", "include: expected a list, got `Podcasts`"),
    ],
)
def test_a_mistake_is_reported_with_its_line_and_the_right_word(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert says in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == ExitCode.USAGE


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("transfers: 2\nbandwidth: 1M\n")
    environment = {
        "MUSIC_ORCHESTRATOR_TRANSFERS": "5",
        "MUSIC_ORCHESTRATOR_CLOUD_PROVIDER": "s3",
        "MUSIC_ORCHESTRATOR_CLOUD_BUCKET": "12",
    }
    found = loading.load(file, environment).config
    assert (found.transfers, found.bandwidth) == (5, "1M")
    assert found.cloud is not None
    assert (found.cloud.provider, found.cloud.bucket) == ("s3", "12")
    with pytest.raises(ConfigError, match="MUSIC_ORCHESTRATOR_TRANSFERS"):
        loading.load(file, {"MUSIC_ORCHESTRATOR_TRANSFERS": "many"})


def test_the_file_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert loading.load(None, {}).exists is False
    (tmp_path / "xdg" / "music-orchestrator").mkdir(parents=True)
    (tmp_path / "xdg" / "music-orchestrator" / "config.yaml").write_text("transfers: 3\n")
    named = tmp_path / "named.yaml"
    named.write_text("transfers: 4\n")
    option = tmp_path / "option.yaml"
    option.write_text("transfers: 5\n")
    environment = {"MUSIC_ORCHESTRATOR_CONFIG": str(named)}
    assert [loading.load(one, two).config.transfers for one, two in ((None, {}), (None, environment), (option, environment))] == [
        3,
        4,
        5,
    ]
    with pytest.raises(ConfigError, match="no such config file"):
        loading.load(tmp_path / "absent.yaml", {})


def test_the_template_names_every_key_and_each_example_is_valid() -> None:
    text = template()
    assert parse(text) == model.Config()
    uncommented = "\n".join(
        line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in text.splitlines()
    )
    # The examples are valid without their comment signs.
    document = yaml.safe_load("\n".join(line for line in uncommented.splitlines() if not line.startswith("# ")))
    assert set(document) == set(model.Config.__struct_fields__)
    empty = [f"{key}:" for key, value in document.items() if value is None]
    loading.parse("\n".join(line for line in uncommented.splitlines() if line not in empty).encode(), Path("t.yaml"))


def test_the_schema_knows_every_key_and_forbids_others() -> None:
    document = json.loads(json.dumps(schema()))
    top = document["$defs"]["Config"]
    assert set(top["properties"]) == {*model.Config.__struct_fields__, "cloud_storage"}
    assert set(document["$defs"]["Cloud"]["properties"]) == {*model.Cloud.__struct_fields__, "bucket_name"}
    assert top["additionalProperties"] is False
    assert all(field["description"] for name, field in top["properties"].items() if "$ref" not in field and "allOf" not in field)


def test_set_keeps_comments_and_refuses_wrong_values(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "c.yaml"
    edit.set_key(file, "cloud.provider", "s3")
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("# mine\ncloud: {provider: s3}  # here\n\njobs: {}\n")
    edit.set_key(file, "cloud.bucket", "music")
    edit.set_key(file, "dedup.action", "off")
    edit.set_key(file, "dedup.keep", "[lossless, oldest]")
    edit.set_key(file, "transfers", "4")
    text = file.read_text()
    assert "# mine" in text
    assert "# here" in text
    found = loading.load(file, {}).config
    assert found.cloud is not None
    assert (found.cloud.bucket, found.dedup.action, found.dedup.keep, found.transfers) == (
        "music",
        "off",
        ["lossless", "oldest"],
        4,
    )
    for key, value in (
        ("cloud.bukcet", "x"),
        ("transfers", "none"),
        ("dedup", "x"),
        ("transfers.x", "1"),
        ("a..b", "1"),
        ("", "1"),
    ):
        with pytest.raises(UsageError):
            edit.set_key(file, key, value)
    assert file.read_text() == text
    assert [path.name for path in file.parent.iterdir()] == ["c.yaml"]


def test_set_in_a_file_of_comments_keeps_them(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(template())
    edit.set_key(file, "cloud.provider", "s3")
    assert file.read_text().startswith(template())
    assert loading.load(file, {}).config.cloud is not None


def test_secrets_are_hidden() -> None:
    document = {
        "cloud": {"provider": "s3", "options": {"secret_access_key": "hush"}},
        "notify": {"urls": ["hush"], "healthcheck": None},
    }
    document["remotes"] = {"a": {"type": None, "options": {"pass": "hush"}, "profile": None}}  # type: ignore[dict-item]
    shown = masked(document, model.Config)
    assert "hush" not in repr(shown)
    assert shown["cloud"]["provider"] == "s3"
    assert list(shown["remotes"]["a"]["options"]) == ["pass"]
