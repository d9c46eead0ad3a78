from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.catalogue.store import Catalogue


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue(tmp_path / "state" / "catalogue.sqlite3") as opened:
        yield opened
