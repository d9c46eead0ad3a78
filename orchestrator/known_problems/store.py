"""Which problems were reported and still stand, and which the user wants to hear nothing of.

The caller passes the time, in seconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from orchestrator.known_problems.database import ProblemDatabase
from orchestrator.sqlite import transaction

PROBLEMS_FILE = "problems.sqlite3"

KEPT_S = 100 * 86400.0
"""How long the problems of a command are kept that is not called again, with these locations: they may be gone."""

_CHANGING = re.compile(
    r"\b\d{8}-\d{6}-[0-9a-f]{6}\b"  # the id of a run of ours
    r"|\b(?=[0-9A-Za-z]*\d)(?=[0-9A-Za-z]*[A-Za-z])[0-9A-Za-z]{12,}\b"  # the id of a request
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b(?:127\.0\.0\.1|localhost):\d+"
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?\S*"
)
"""What servers and we put into messages that is different each time."""


_AMOUNT = re.compile(
    r"\b\d+(?:\.\d+)?(?= (?:of \d+ )?(?:bytes|B|[KMGT]iB|audio files?|files?|changes?|are free)\b)|(?<=--max-delete )\d+\b"
)
"""How much it was this time: a library that grows makes other numbers of the same failure."""


def same_reason(reason: str) -> str:
    """A reason without what changes each time: two problems with the same one have not changed."""
    return _CHANGING.sub("*", reason)


def same_failure(reason: str) -> str:
    """As `same_reason`, of a part of the work that failed as a whole: amounts do not count either."""
    return _AMOUNT.sub("*", same_reason(reason))


class StandingProblem(msgspec.Struct, frozen=True):
    """A problem that stands since it was first reported."""

    location: str
    """In canonical form; "" for a part of the work, such as a step of a job."""
    path: str
    """Of the file or folder; "" for the location as a whole. Without a location, the name of the part."""
    code: str
    """The word of `--json`, such as "untagged"."""
    reason: str
    since: float = 0.0
    details: str = ""
    """What has to be the same, beside the reason, for the problem not to have changed."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What is the same about it in the next run, beside its location."""
        same = same_reason if self.location else same_failure
        return self.path, self.code, same(self.reason) + self.details


def scope_of(command: str, locations: Iterable[str]) -> str:
    """What is written of a command that looks for problems in these locations."""
    return "\n".join((command, *sorted({*locations})))


class KnownProblems:
    """All of them, in one database; a context manager."""

    def __init__(self, file: Path) -> None:
        """Open the database, or create it. One that cannot be read is moved aside. Raises UsageError."""
        self._database = ProblemDatabase(file)
        self._connection, self.moved_aside = self._database.open_or_replace()
        """Where a damaged database was moved."""

    def __enter__(self) -> KnownProblems:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def at(self, location: str) -> set[tuple[str, str, str]]:
        """The keys of the problems of a location that were reported, by whichever command."""
        with self._database.mapped_errors():
            return {*self._connection.execute("SELECT path, code, same FROM problem WHERE location = ?", (location,))}

    def all(self) -> list[StandingProblem]:
        """Each problem once, by location and path, as it was first reported."""
        query = (
            "SELECT location, path, code, reason, min(since) FROM problem GROUP BY location, path, code, same "
            "ORDER BY location, path, code, same"
        )
        with self._database.mapped_errors():
            return [StandingProblem(*row) for row in self._connection.execute(query)]

    def of_scope(self, scope: str) -> tuple[list[StandingProblem], float]:
        """The problems of a scope, and when it was used last (0: never)."""
        with self._database.mapped_errors():
            rows = self._connection.execute(
                "SELECT location, path, code, reason, since FROM problem WHERE scope = ?", (scope,)
            ).fetchall()
            last = self._connection.execute("SELECT last FROM scope WHERE scope = ?", (scope,)).fetchone()
        return [StandingProblem(*row) for row in rows], last[0] if last else 0.0

    def of_command(self, command: str, locations: Iterable[str]) -> list[StandingProblem]:
        """What a command has found that looked at these locations, by location and path.

        If none looked at exactly these, those count that looked at more: a mirror may have been away.
        """
        wanted = {*locations}
        with self._database.mapped_errors():
            scopes = [scope for (scope,) in self._connection.execute("SELECT scope FROM scope ORDER BY scope")]
        alike = [scope for scope in scopes if scope.startswith(f"{command}\n") and wanted <= {*scope.split("\n")[1:]}]
        exact = scope_of(command, wanted)
        found = [one for scope in ([exact] if exact in alike else alike) for one in self.of_scope(scope)[0]]
        return sorted(dict.fromkeys(found), key=lambda one: (one.location, one.path, one.code, one.reason))

    def settle(
        self, scope: str, found: Iterable[StandingProblem], now: float, *, judged: Callable[[StandingProblem], bool] | None
    ) -> None:
        """Record what was found in a scope, and forget what was not found there any more, and scopes that are used no more.

        What is new stands since now, if it does not say since when.

        `judged`: whether a problem would have been found if it still stood; None: nothing is forgotten.
        """
        wanted = {(one.location, *one.key): one for one in found}
        with self._database.mapped_errors():
            rows = self._connection.execute("SELECT location, path, code, same, reason FROM problem WHERE scope = ?", (scope,))
            known = {(location, path, code, same): reason for location, path, code, same, reason in rows}
            gone = [
                key
                for key, reason in known.items()
                if judged is not None and key not in wanted and judged(StandingProblem(*key[:3], reason))
            ]
            new = [(scope, *key, one.reason, one.since or now) for key, one in wanted.items() if key not in known]
            with transaction(self._connection):
                # From every scope: another command that still finds it reports it once more, which is better than never again.
                self._connection.executemany(
                    "DELETE FROM problem WHERE location = ? AND path = ? AND code = ? AND same = ?", gone
                )
                self._connection.executemany("INSERT OR IGNORE INTO problem VALUES (?, ?, ?, ?, ?, ?, ?)", new)
                self._connection.execute("INSERT OR REPLACE INTO scope VALUES (?, ?)", (scope, now))
                old = "SELECT scope FROM scope WHERE last < ?"
                self._connection.execute(f"DELETE FROM problem WHERE scope IN ({old})", (now - KEPT_S,))
                self._connection.execute("DELETE FROM scope WHERE last < ?", (now - KEPT_S,))

    def ignored(self) -> dict[str, float]:
        """The patterns of files whose problems are ignored -> since when."""
        with self._database.mapped_errors():
            return dict(self._connection.execute("SELECT pattern, since FROM ignored ORDER BY pattern").fetchall())

    def ignore(self, patterns: Iterable[str], now: float) -> None:
        """Ignore the problems of files that match one of these."""
        with self._writing():
            self._connection.executemany("INSERT OR IGNORE INTO ignored VALUES (?, ?)", [(one, now) for one in patterns])

    def ignore_no_longer(self, patterns: Iterable[str]) -> None:
        """Report them again."""
        with self._writing():
            self._connection.executemany("DELETE FROM ignored WHERE pattern = ?", [(one,) for one in patterns])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._database.mapped_errors(), transaction(self._connection):
            yield
