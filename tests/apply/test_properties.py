"""Random libraries, renames and faults: nothing is lost, and `resume` ends like a run without faults."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.errors import AuthError, ExitCode, PermanentError, QuotaError, RateLimitError, TransientError
from orchestrator.plan.model import Expect, Verb
from orchestrator.plan.ordering import Move, order
from orchestrator.records import Ref
from orchestrator.storage.fake.faults import Killed, When
from orchestrator.storage.fake.memory import MemoryStorage
from tests.apply.plans import contents, library, plan, run, run_again

NAMES = [f"{directory}{name}" for directory in ("", "a/", "a/b/", "c/") for name in ("x", "y", "z")]
TROUBLES = {
    "killed": lambda: Killed("killed"),
    "transient": lambda: TransientError("connection reset"),
    "rate": lambda: RateLimitError("slow down"),
    "auth": lambda: AuthError("revoked"),
    "quota": lambda: QuotaError("full"),
    "permanent": lambda: PermanentError("no"),
}

faults = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from([*TROUBLES]), st.sampled_from(["before", "between", "after"])), max_size=3
)


@st.composite
def renames(draw: st.DrawFn) -> dict[str, str]:
    """Old name -> new name, one to one: this includes chains, swaps and rings."""
    old = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8, unique=True))
    new = draw(st.permutations(NAMES))[: len(old)]
    return dict(zip(old, new, strict=True))


@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["local", "s3", "dropbox", "webdav", "plain"]),
    wanted=renames(),
    troubles=faults,
    order_of=st.tuples(st.sampled_from([1, 2, 100]), st.integers(0, 9)),
)
def test_nothing_is_lost_whatever_happens(
    tmp_path: Path, kind: str, wanted: dict[str, str], troubles: list[tuple[int, str, When]], order_of: tuple[int, int]
) -> None:
    window, seed = order_of
    storage = MemoryStorage.like(kind, shuffle=seed)
    for name in wanted:
        storage.put(name, f"content of {name}".encode())
    moves = []
    for src, dst in wanted.items():
        entry = storage.stat(src)
        if src != dst and entry is not None:
            expect = Expect(entry.hashes, entry.mtime_ns)
            moves.append(Move(Verb.MOVE, Ref(storage.fs, src), Ref(storage.fs, dst), entry.size, expect, "", ""))
    made = plan(*order(moves))
    before = contents(storage)
    journal = tmp_path / "journal"
    for file in tmp_path.glob("journal*"):
        file.unlink()
    for number, trouble, when in troubles:
        storage.fail(storage.calls_made + number, TROUBLES[trouble](), when=when)
    killed = False
    try:
        result = run(made, journal, storage, window=window)
    except (Killed, TransientError, RateLimitError, AuthError, QuotaError, PermanentError):
        killed = True  # raised before the run began, when the storage does not answer how much space is free
    assert before <= contents(storage), "some content is lost"
    storage.revive()
    for _ in range(2):
        result = run_again(journal, storage, window=window)
        if result.run is None:
            result = run(made, journal, storage, window=window)
    assert before <= contents(storage), "some content is lost"
    if not any(trouble in {"permanent", "auth"} for _, trouble, _ in troubles):  # those may be about one file
        assert result.exit_code == ExitCode.DONE, (killed, result.problems)
        assert library(storage) == {dst: f"content of {src}".encode() for src, dst in wanted.items()}
        assert contents(storage) == before
