"""Which price list is in force for a remote."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.actions.session import open_session
from orchestrator.config.options.common import CommonOptions
from orchestrator.errors import ConfigError
from orchestrator.prices import Quotas
from orchestrator.profiles import load_profile, price_lists
from orchestrator.records import Capabilities

RCLONE = """
[aws]
type = s3
provider = AWS
access_key_id = x
secret_access_key = y
region = us-east-1

[minio]
type = s3
provider = Minio
endpoint = http://127.0.0.1:9
access_key_id = x
secret_access_key = y

[coded]
type = crypt
remote = aws:
password = UmmJVJp2FMzHMUwlvZLB9MKjPuA8zAo

[renamed]
type = alias
remote = coded:music

[private]
type = crypt
remote = minio:music
password = UmmJVJp2FMzHMUwlvZLB9MKjPuA8zAo

[disk]
type = crypt
remote = /tmp/vault
password = UmmJVJp2FMzHMUwlvZLB9MKjPuA8zAo

[mixed]
type = union
upstreams = aws: minio:
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config file, beside an rclone config."""
    (tmp_path / "rclone.conf").write_text(RCLONE)
    monkeypatch.setenv("RCLONE_CONFIG", str(tmp_path / "rclone.conf"))
    config = tmp_path / "config.yaml"
    config.write_text("{}")
    return config


def capabilities(config: Path, location: str) -> Capabilities:
    with open_session(CommonOptions(config=str(config), state_dir=str(config.parent / "state"))) as session:
        return session.storage(*session.locations(location)).capabilities


OF_REMOTES = {"aws:": "s3", "minio:": None, "coded:": "s3", "renamed:": "s3", "private:": None, "mixed:": None, "/tmp": None}


@pytest.mark.parametrize(("remote", "name"), OF_REMOTES.items())
def test_the_provider_decides_also_below_other_remotes(files: Path, remote: str, name: str | None) -> None:
    found = capabilities(files, remote)
    assert found.prices == (price_lists()[name] if name else None)
    assert found.quotas is None


def test_the_config_chooses_a_list_by_name_or_gives_its_own(files: Path) -> None:
    files.write_text("remotes: {minio: {prices: wasabi}}")
    assert capabilities(files, "minio:").prices == price_lists()["wasabi"]
    files.write_text(
        "remotes: {aws: {prices: "
        "{list: 1, look: 0.5, read: 0, write: 0, copy: 0, delete: 0, storage: 2, egress: 3, currency: EUR}}}"
    )
    own = capabilities(files, "aws:").prices
    assert own is not None
    assert (own.list, own.look, own.storage, own.currency) == (1.0, 0.5, 2.0, "EUR")


def test_a_remote_that_leads_to_another_has_the_prices_that_the_config_gives_that_one(files: Path) -> None:
    files.write_text("remotes: {minio: {prices: wasabi}}")
    assert capabilities(files, "private:").prices == price_lists()["wasabi"]
    files.write_text("remotes: {aws: {prices: r2}, coded: {prices: b2}}")
    assert capabilities(files, "coded:").prices == capabilities(files, "renamed:").prices == price_lists()["b2"]
    files.write_text("remotes: {minio: {prices: s3}}")
    assert capabilities(files, "mixed:").prices == price_lists()["s3"], "both have the same"
    assert capabilities(files, "disk:").quotas == Quotas(), "nothing has to be paid"


def test_the_limits_of_names_also_hold_for_an_alias_of_a_crypt(files: Path) -> None:
    crypt, alias = capabilities(files, "coded:"), capabilities(files, "renamed:")
    assert crypt.max_component_bytes == alias.max_component_bytes == 143
    assert crypt.encrypted_names == alias.encrypted_names is not None


@pytest.mark.parametrize(
    ("prices", "says"),
    [
        ("s4", "there is no price list 's4'; choose one of .*s3-ia"),
        ("{list: 1}", "`look` is missing"),
        ("{list: -1, look: 0, read: 0, write: 0, copy: 0, delete: 0, storage: 0, egress: 0}", "at least 0"),
        ("{list: much, look: 0, read: 0, write: 0, copy: 0, delete: 0, storage: 0, egress: 0}", "expected a number, got `much`"),
        ("{lists: 1}", "did you mean `list`"),
    ],
)
def test_a_mistake_in_the_prices_is_reported_with_its_line(files: Path, prices: str, says: str) -> None:
    files.write_text(f"remotes:\n  aws:\n    prices: {prices}\n")
    with pytest.raises(ConfigError, match=rf"config.yaml:3: .*{says}"):
        capabilities(files, "aws:")


def test_flat_rates_have_limits_instead() -> None:
    drive = load_profile("drive")
    assert not drive.prices
    assert drive.quotas is not None
    assert drive.quotas.upload_gb_per_day == 750
