"""The order of operations that need each other."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from orchestrator.errors import ExitCode, OrchestratorError
from orchestrator.plan.model import Expect, Operation, Verb
from orchestrator.plan.ordering import after_needs
from orchestrator.records import Ref


def order(needs: Mapping[str, str]) -> str:
    """Operation -> those that it needs, each one letter."""
    operations = [
        Operation(name, Verb.MOVE, Ref("/a", f"old {name}"), Ref("/a", name), 1, Expect(), "", "", tuple(depends))
        for name, depends in needs.items()
    ]
    return "".join(one.id for one in after_needs(operations))


def test_what_an_operation_needs_comes_before_it_and_the_rest_stays_in_its_order() -> None:
    assert order({"a": "d", "b": "", "c": "adb", "d": "e", "e": ""}) == "edabc"


@pytest.mark.parametrize("needs", [{"a": "a"}, {"a": "b", "b": "a"}, {"z": "", "a": "zb", "b": "cz", "c": "zb"}])
def test_operations_that_wait_for_each_other_are_an_error_not_an_endless_search(needs: Mapping[str, str]) -> None:
    with pytest.raises(OrchestratorError, match="bug in music-orchestrator") as raised:
        order(needs)
    assert raised.value.exit_code is ExitCode.UNEXPECTED
