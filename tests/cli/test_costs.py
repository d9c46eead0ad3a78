"""What a plan costs: said before it runs, limited by --max-cost and --max-transfer, and compared with what was counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.setting_syntax import parse_money, parse_size, slowest_rates
from orchestrator.errors import UsageError
from tests.audio import make_many
from tests.cli.test_commands import say
from tests.program import Program
from tests.servers.remotes import RemoteServer

KINDS = ("list", "look", "read", "write", "copy", "delete")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Twenty files of 10,000 bytes."""
    make_many(tmp_path / "music", 20, size=10_000)
    return tmp_path / "music"


def prices(tmp_path: Path, text: str) -> tuple[str, str]:
    (tmp_path / "config.yaml").write_text(f"remotes: {text}")
    return "--config", str(tmp_path / "config.yaml")


def test_a_plan_and_its_summary_say_what_it_costs_and_the_journal_what_it_took(
    s3_moto: RemoteServer, music: Path, tmp_path: Path
) -> None:
    config = prices(tmp_path, f"{{{s3_moto.name}: {{prices: s3}}}}")
    program, target = Program(tmp_path / "state"), s3_moto.fs("costs")
    ended = program("organize", str(music), target, "--copy", "--yes", *config)
    (plan,) = (event for event in ended.events if event["type"] == "plan")
    estimate = plan["estimate"]
    assert ended.summary["estimate"] == estimate
    assert estimate["requests"] == sum(estimate[kind] for kind in KINDS)
    assert estimate["bytes_up"] == sum(file.stat().st_size for file in music.rglob("*.mp3"))
    assert estimate["currency"] == "USD"
    assert 0.0001 < estimate["cost"] < 0.001
    rows = {one["what"]: one for one in program("runs", "show", "last").events if one["type"] == "run-cost"}
    assert rows["requests"]["estimated"] == estimate["requests"]
    assert rows["requests"]["counted"] == pytest.approx(estimate["requests"], rel=0.3)
    assert rows["write"]["counted"] >= 20
    assert rows["bytes"]["counted"] == estimate["bytes_up"]
    said = say("organize", target, "--dry-run", *config, state=tmp_path / "state").stdout
    assert "nothing to do" in said
    listed = [event for event in program("stats", target, "--cost", *config).events if event["type"] == "stats-price"]
    known = [event for event in program("stats", target, "--cost", "--no-scan", *config).events if event["type"] == "stats-price"]
    assert known == listed != []


def test_a_plan_over_a_limit_changes_nothing(s3_moto: RemoteServer, music: Path, tmp_path: Path) -> None:
    target, state = s3_moto.fs("limited"), tmp_path / "state"
    config = prices(tmp_path, f"{{{s3_moto.name}: {{prices: s3}}}}")

    def organize(*options: str, code: int) -> str:
        ended = Program(state)("organize", str(music), target, "--copy", "--yes", *options, codes=(code,))
        return str(ended.errors[-1]["message"]) if code else ""

    assert "more than --max-transfer 100.0 KiB allows; nothing was changed" in organize("--max-transfer", "100k", code=7)
    assert "costs of this plan are unknown" in organize("--max-cost", "1", code=7)
    assert "more than --max-cost 0.0001 allows; nothing was changed" in organize("--max-cost", "0.0001", *config, code=7)
    assert not [event for event in Program(state)("runs").events if event["type"] == "run"]
    organize("--max-cost", "0.01", "--max-transfer", "1M", *config, code=0)


def test_unknown_money_is_said_and_bandwidth_makes_time(s3_moto: RemoteServer, music: Path, tmp_path: Path) -> None:
    arguments = ("organize", str(music), s3_moto.fs("slow"), "--copy", "--dry-run")
    said = say(*arguments, state=tmp_path / "state").stdout
    assert f"prices of {s3_moto.name}: unknown (`remotes check` says how to set them)" in said
    assert ", time unknown" in said, "nobody knows how fast this server answers"
    fast = Program(tmp_path / "state")(*arguments).summary["estimate"]
    slow = Program(tmp_path / "state")(*arguments, "--bandwidth", "10k").summary["estimate"]
    assert slow["seconds"] - fast["seconds"] == pytest.approx(20 * 10_000 / 10_240, rel=0.2)
    assert fast["seconds_assumed"] == fast["seconds"]
    assert slow["seconds_assumed"] < 0.5 * slow["seconds"]


@pytest.mark.parametrize(
    ("limit", "up", "down"),
    [
        (None, None, None),
        ("off", None, None),
        ("10M", 10 * 1024**2, 10 * 1024**2),
        ("512", 512 * 1024, 512 * 1024),
        ("1000B:off", 1000, None),
        ("08:00,512k 19:00,10M 23:00,off", 512 * 1024, 512 * 1024),
        ("Mon-08:00,1M:2M", 1024**2, 2 * 1024**2),
    ],
)
def test_the_slowest_rate_of_a_bandwidth_limit(limit: str | None, up: float | None, down: float | None) -> None:
    assert slowest_rates(limit) == (up, down)


def test_amounts_and_sizes() -> None:
    assert (parse_money("0.50"), parse_money(None)) == (0.5, None)
    assert (parse_size("1000"), parse_size("10G"), parse_size("1.5MiB"), parse_size("8B")) == (1000, 10 * 1024**3, 1572864, 8)
    for parse, text in ((parse_money, "$1"), (parse_money, "-1"), (parse_size, "lots"), (parse_size, "10X")):
        with pytest.raises(UsageError, match="write a"):
            parse(text)
