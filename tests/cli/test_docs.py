"""The documents match the program: every command, option, exit code, config key and JSON key."""

from __future__ import annotations

import re
from pathlib import Path

import click
import msgspec
import pytest
import yaml

from orchestrator.cli import invocation, main
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
from scripts.man_page import man_page
from tests import documents
from tests.documents import DOCUMENTS, PAGES, ROOT

DOCS = ROOT / "docs"


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", PAGES, ids=documents.name)
def test_the_generated_parts_are_up_to_date(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert update_docs.updated(text) == text, "run python scripts/update_docs.py"


def test_the_manual_page_is_up_to_date_and_no_text_in_it_is_taken_for_a_command() -> None:
    page = update_docs.MAN_PAGE.read_text(encoding="utf-8")
    assert page == man_page(), "run python scripts/update_docs.py"
    commands = {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert commands == {".TH", ".SH", ".SS", ".TP", ".PP", ".B"}
    assert all(f".SS {path.partition(' ')[2]} " in page.replace("\\-", "-") for path, _ in update_docs.commands() if " " in path)


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


def test_every_exit_code_is_documented() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", read("commands.md"), re.MULTILINE)}
    assert documented == {int(code) for code in ExitCode}


def test_the_order_of_the_exit_codes_is_documented() -> None:
    row = ", ".join(str(int(code)) for code in PRECEDENCE)
    assert f"the first in this list wins: {row}." in read("commands.md")


def test_every_json_key_is_documented() -> None:
    text = read("json.md")
    for record in (Summary, Header, Operation, Skipped):
        names = {field.encode_name for field in msgspec.structs.fields(record)}
        for name in (names - {"each_way", "for_good", "waited_s"}) | (set(COUNTS) if "each_way" in names else set()):
            assert f"`{name}`" in text, f"{record.__name__}.{name}"
    explained = text.partition("## explanation")[2].partition("\n## ")[0]
    for record in (Explanation, RangeRequest, Skip, AudioIdentity, Cover):
        for field in msgspec.structs.fields(record):
            assert f"`{field.encode_name}`" in explained, f"{record.__name__}.{field.encode_name}"
    assert all(f"`{word}`" in explained for word in (*WAYS, *POLICIES, *Status, *Strength))
    for code in {word for _, word in _CODES} | {"unexpected"}:
        assert f"`{code}`" in text


def commands_of(text: str) -> list[list[str]]:
    """The arguments of each call of our program in the shell blocks and in the text."""
    lines = [*documents.shell_lines(text), *(code for code in documents.inline_code(text) if code.startswith(main.PROGRAM))]
    called = [documents.arguments(words) for line in lines for words in documents.simple_commands(line)]
    return [words for words in called if words is not None and "[OPTIONS]" not in words]


@pytest.mark.parametrize("file", DOCUMENTS, ids=documents.name)
def test_every_command_in_the_documents_is_one_that_the_program_takes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invocation, "run_command", lambda *_: ExitCode.DONE)
    for words in commands_of(file.read_text(encoding="utf-8")):
        assert main.run(words) == ExitCode.DONE, words


@pytest.mark.parametrize("file", DOCUMENTS, ids=documents.name)
def test_every_option_that_the_text_gives_a_command_exists(file: Path) -> None:
    options = {path.removeprefix(f"{main.PROGRAM} "): set(re.findall(r"--[\w-]+", text)) for path, text in update_docs.commands()}
    for code in documents.inline_code(file.read_text(encoding="utf-8")):
        words = code.removeprefix(f"{main.PROGRAM} ").split()
        known = options.get(" ".join(words[:2])) or options.get(words[0] if words else "")
        if known is not None and "--" not in words:
            assert {word.partition("=")[0] for word in words if re.match(r"--\w", word)} <= known, code


@pytest.mark.parametrize("file", DOCUMENTS, ids=documents.name)
def test_every_script_in_the_documents_exists_with_its_options(file: Path) -> None:
    for line in documents.shell_lines(file.read_text(encoding="utf-8")):
        for words in documents.simple_commands(line):
            if words[:1] and words[0].startswith("scripts/"):
                script = (ROOT / words[0]).read_text(encoding="utf-8")
                ours = words[: words.index("--")] if "--" in words else words
                if words[0] != "scripts/test":  # which passes them to pytest
                    assert all(word in script for word in ours if word.startswith("--")), line


@pytest.mark.parametrize("file", DOCUMENTS, ids=documents.name)
def test_every_example_of_a_config_is_valid(file: Path) -> None:
    for example in documents.blocks(file.read_text(encoding="utf-8"), "yaml"):
        if "apiVersion" not in example:
            parse(example.encode(), Path("example.yaml"))
            assert set(yaml.safe_load(example)) <= set(model.Config.__struct_fields__)


def test_the_table_of_sidecars_is_the_default_one() -> None:
    example = re.search(r"```yaml\n(.*?)```", read("sidecars.md"), re.DOTALL)
    assert example is not None
    assert parse(example[1].encode(), Path("example.yaml")) == model.Config()


def test_every_method_of_a_storage_is_documented() -> None:
    text = read("python-api.md")
    for name in vars(Storage):
        if not name.startswith("_"):
            assert re.search(rf"\b{name}\b", text), name


@pytest.mark.parametrize("file", DOCUMENTS, ids=documents.name)
def test_links_lead_to_existing_files_and_headings(file: Path) -> None:
    for path, heading in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", file.read_text(encoding="utf-8")):
        target = file.parent / path if path else file
        assert target.exists(), path
        if heading and target.suffix == ".md":
            assert heading in headings_of(target), f"{path}#{heading}"


def headings_of(file: Path) -> set[str]:
    """The anchors of a document's headings, as code hosts and the site make them."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).lower()).replace(" ", "-") for title in titles}


def test_every_page_is_in_the_lists_of_pages() -> None:
    """The site refuses a page that its navigation lacks; docs/README.md is that navigation on a code host."""
    linked = set(re.findall(r"\(([\w-]+\.md)", read("README.md")))
    navigation = set(re.findall(r"\b([\w-]+\.md)\b", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert linked | {"README.md"} == navigation == {file.name for file in PAGES}


@pytest.mark.parametrize("file", PAGES, ids=documents.name)
def test_lists_and_tables_inside_lists_are_indented_by_four(file: Path) -> None:
    """The site needs four spaces where code hosts take two."""
    text = re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.findall(r"^ {1,3}(?:[-*|] ?\S|\d+\. ).*$|\n\n {1,3}\S.*$", text, re.MULTILINE)
