"""The documents match the program: every command, option, exit code, config key and JSON key."""

from __future__ import annotations

import re
from pathlib import Path

import click
import msgspec
import pytest
import yaml

from orchestrator.cli.main import COMMANDS, application
from orchestrator.config import model
from orchestrator.config.loading import parse
from orchestrator.errors import PRECEDENCE, ExitCode
from orchestrator.plan.model import Header, Operation, Skipped
from orchestrator.plan.planners.sync.each_way import COUNTS
from orchestrator.report.reading_view import POLICIES, WAYS, Explanation
from orchestrator.report.reporter import _CODES, Summary
from orchestrator.storage.protocol import Storage
from orchestrator.tags.trace import RangeRequest
from orchestrator.tags.trace import SkippedRange as Skip
from orchestrator.track import AudioIdentity, Cover, Status, Strength
from scripts import update_docs

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted(DOCS.glob("*.md")), ids=lambda file: file.name)
def test_the_generated_parts_are_up_to_date(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert update_docs.updated(text) == text, "run python scripts/update_docs.py"


def test_every_command_is_documented_and_has_help_for_every_option() -> None:
    text = read("commands.md")
    paths = [path for path, _ in update_docs.commands()]
    assert len(paths) == len(set(paths)) > 20
    assert all(f"### {path}\n" in text for path in paths)
    context = click.Context(application)
    for name in COMMANDS:
        command = application.get_command(context, name)
        assert command is not None
        assert command.help
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name}"


@pytest.mark.parametrize("file", [DOCS / "commands.md", ROOT / "README.md"], ids=lambda file: file.name)
def test_every_exit_code_is_documented(file: Path) -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", file.read_text(encoding="utf-8"), re.MULTILINE)}
    assert documented == {int(code) for code in ExitCode}


def test_the_order_of_the_exit_codes_is_documented() -> None:
    row = ", ".join(str(int(code)) for code in PRECEDENCE)
    assert f"the first in this list wins: {row}." in read("commands.md")


def test_every_json_key_is_documented() -> None:
    text = read("json.md")
    for record in (Summary, Header, Operation, Skipped):
        names = {field.encode_name for field in msgspec.structs.fields(record)}
        for name in (names - {"each_way"}) | (set(COUNTS) if "each_way" in names else set()):
            assert f"`{name}`" in text, f"{record.__name__}.{name}"
    explained = text.partition("## explanation")[2].partition("\n## ")[0]
    for record in (Explanation, RangeRequest, Skip, AudioIdentity, Cover):
        for field in msgspec.structs.fields(record):
            assert f"`{field.encode_name}`" in explained, f"{record.__name__}.{field.encode_name}"
    assert all(f"`{word}`" in explained for word in (*WAYS, *POLICIES, *Status, *Strength))
    for code in {word for _, word in _CODES} | {"unexpected"}:
        assert f"`{code}`" in text


def test_the_examples_of_the_configuration_are_valid() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", read("configuration.md"), re.DOTALL)
    assert len(examples) == 4
    for example in examples:
        found = parse(example.encode(), Path("example.yaml"))
        assert set(yaml.safe_load(example)) <= set(model.Config.__struct_fields__)
        assert found.cloud is not None or found.jobs


def test_the_table_of_sidecars_is_the_default_one() -> None:
    example = re.search(r"```yaml\n(.*?)```", read("sidecars.md"), re.DOTALL)
    assert example is not None
    assert parse(example[1].encode(), Path("example.yaml")) == model.Config()


def test_every_method_of_a_storage_is_documented() -> None:
    text = read("python-api.md")
    for name in vars(Storage):
        if not name.startswith("_"):
            assert re.search(rf"\b{name}\b", text), name


def test_links_lead_to_existing_files_and_headings() -> None:
    for file in [*DOCS.glob("*.md"), ROOT / "README.md"]:
        for link in re.findall(r"\]\(([^)#:]+)\)", file.read_text(encoding="utf-8")):
            assert (file.parent / link).exists(), f"{file.name}: {link}"
