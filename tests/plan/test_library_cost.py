"""What a library costs: the example of the seed document, and what is known of flat rates."""

from __future__ import annotations

import pytest

from orchestrator.plan.library_cost import library_cost
from orchestrator.prices import GB
from orchestrator.profiles import load_profile, price_lists

SONGS, SIZE = 10_000, 50 * GB


def test_ten_thousand_songs_on_s3() -> None:
    cost = library_cost("s3", price_lists()["s3"], SONGS, SIZE)
    assert (cost.currency, cost.month, cost.download) == ("USD", pytest.approx(1.15), pytest.approx(4.50))
    assert cost.lists == pytest.approx(0.005)
    assert cost.download_requests == pytest.approx(0.008), "a HEAD and a GET each"
    assert cost.reorganization is not None
    assert 0.05 < cost.reorganization < 0.15, "a COPY each, and the looks around it"


def test_rare_access_costs_more_to_read_and_to_copy_and_some_charge_for_a_minimum() -> None:
    standard, rare, wasabi = (library_cost(name, price_lists()[name], SONGS, SIZE) for name in ("s3", "s3-ia", "wasabi"))
    assert rare.month == pytest.approx(0.625)
    assert rare.download == pytest.approx(5.00)
    assert (rare.reorganization or 0) > (standard.reorganization or 0) + 0.5
    assert (wasabi.month, wasabi.download) == (pytest.approx(7.99), 0)


def test_a_flat_rate_takes_time_instead_of_money() -> None:
    cost = library_cost("drive", load_profile("drive").quotas, SONGS, 2_000 * GB)
    assert (cost.currency, cost.month, cost.reorganization) == (None, None, None)
    assert cost.download_days == pytest.approx(2)
    assert cost.reorganization_hours is not None
    assert cost.reorganization_hours == pytest.approx(1, abs=0.2)


def test_unknown_prices_are_not_guessed() -> None:
    cost = library_cost(None, None, SONGS, SIZE)
    assert (cost.currency, cost.month, cost.download, cost.reorganization, cost.lists) == (None,) * 5
