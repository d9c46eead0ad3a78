"""The methods of a storage that follow from the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from orchestrator.errors import DestinationExistsError, NotFoundError, OrchestratorError, UnsupportedError
from orchestrator.records import OWN_DIRECTORY, Entry
from orchestrator.storage.protocol import Call, CallResult, CopyCall, DeleteCall, MoveCall, StatCall, Storage

_REPLACED = f"{OWN_DIRECTORY}/trash/api"
"""A file that appears at a destination just after the look at it is moved here."""


class DerivedStorage(Storage):
    """The base of storages that hold files: implement the abstract methods of Storage, and override what you can do better."""

    def forget_folders(self, *, keep_s: float = 0.0) -> None:
        """Nothing is remembered."""

    @property
    def links_left_out(self) -> int:
        """The remote does not tell."""
        return 0

    @property
    def undecryptable(self) -> Sequence[str]:
        """Names are not encrypted."""
        return ()

    def links(self, path: str, among: Collection[str]) -> Mapping[str, bool]:  # noqa: ARG002 - the answer is the same for all paths
        """The remote does not tell."""
        return {}

    def stat(self, path: str) -> Entry | None:
        """See Storage."""
        return self._seen(StatCall(path))

    def exists(self, path: str) -> bool:
        """See Storage."""
        return self.stat(path) is not None

    def namesakes(self, paths: Sequence[str]) -> Mapping[str, Sequence[Entry] | OrchestratorError]:
        """Where no two files can have one name: a look at each."""
        looks = self.batch([StatCall(path) for path in paths])
        return {path: [look] if isinstance(look, Entry) else look or () for path, look in zip(paths, looks, strict=True)}

    def files_below(self, folders: Collection[str]) -> Mapping[str, Sequence[Entry] | None]:
        """A listing of each."""

        def below(folder: str) -> Sequence[Entry] | None:
            try:
                return [*self.list(folder)]
            except NotFoundError:
                return None

        return {folder: below(folder) for folder in folders}

    def size(self, path: str) -> int | None:
        """See Storage."""
        return self._found(path).size

    def mtime(self, path: str) -> int | None:
        """See Storage."""
        return self._found(path).mtime_ns

    def copy(self, src: str, dst: str) -> None:
        """See Storage."""
        self._check_free(dst)
        self._carry_out(CopyCall(src, dst, _REPLACED))

    def move(self, src: str, dst: str) -> None:
        """See Storage."""
        self._check_free(dst)
        self._carry_out(MoveCall(src, dst, _REPLACED))

    def delete(self, path: str) -> None:
        """See Storage."""
        self._carry_out(DeleteCall(path))

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """One after the other."""
        return [self.read_range(path, offset, length) for offset, length in ranges]

    def reading(self, piece: int, *, files: int, listed: int | None = None) -> AbstractContextManager[None]:  # noqa: ARG002
        """Nothing to prepare."""
        return nullcontext()

    def fetch(self, path: str, object_id: str, to: Path) -> None:  # noqa: ARG002 - for storages with ids
        """Unsupported."""
        raise UnsupportedError(f"{self.fs}: files cannot be read by their ids", path=path)

    def move_directory(self, src: str, dst: str, *, seen: bool = False) -> None:  # noqa: ARG002 - as in Storage
        """Unsupported."""
        raise UnsupportedError(f"{self.fs}: cannot rename directories, so not to {dst}", path=src)

    def close(self) -> None:
        """Nothing to give back."""

    def _carry_out(self, call: Call) -> CallResult:
        """One call alone: its error is raised."""
        (result,) = self.batch([call])
        if isinstance(result, OrchestratorError):
            raise result
        return result

    def _seen(self, call: StatCall) -> Entry | None:
        result = self._carry_out(call)
        assert not isinstance(result, OrchestratorError)  # noqa: S101 - it would have been raised
        return result

    def _found(self, path: str) -> Entry:
        entry = self.stat(path)
        if entry is None:
            raise NotFoundError(f"{path}: not found", path=path)
        return entry

    def _check_free(self, path: str) -> None:
        if self.exists(path):
            raise DestinationExistsError(f"{path}: already exists", path=path)
