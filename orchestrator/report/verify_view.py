"""What `verify` has found, for people and programs: the totals by strength of proof, and each file that is not proved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.paths import split_path
from orchestrator.report.reporter import Column, Reporter
from orchestrator.same_contents.matching import Matching
from orchestrator.same_contents.records import Proof, Reason, Wanted
from orchestrator.wording import counted, size_text

_EACH_NAMED = 40
"""If more files are not proved, people see one row a folder and reason, unless they ask for more with -v."""
_IN_WORDS = {
    Proof.HASH: "by hashes",
    Proof.READ: "by reading them in full",
    Proof.SOUND: "by what they say about their sound",
    Proof.LIST: "with updated entries",
    Proof.EMPTY: "empty",
}
_SIZE = Column("size", "size", right=True, text=lambda row: size_text(row["size"]))
_REASON, _WHY = Column("reason", "reason", heading=True), Column("message", "why", heading=True)
_EACH = (_REASON, Column("path", "not proved"), _SIZE, _WHY, Column("target", "nearest in the target", gives_way=True))
_BY_FOLDER = (
    _REASON,
    Column("folder", "not proved, below"),
    Column("files", "files", right=True),
    _SIZE,
    Column("path", "such as", spare=True),
    _WHY,
)


def show_verification(found: Matching, fields: Mapping[str, Any], reporter: Reporter, *, everything: bool, quiet: bool) -> None:
    """Report it. `everything`: name each file, however many there are; `quiet`: say nothing if there are any, and all are proved.

    `fields` are the totals (see `totals`), with the locations.
    """
    unproven = found.unproven
    rows = [_row(file) for file in unproven]
    if len(rows) > _EACH_NAMED and not everything:
        reporter.table("unproven", _BY_FOLDER, _folders(rows), empty="")
    else:
        reporter.table("unproven", _EACH, rows, empty="")
    if unproven or not found.source or not quiet:
        reporter.document("verify", _sentence(fields), fields)


def totals(found: Matching) -> dict[str, Any]:
    """The totals, in files and bytes."""
    proved = [file for file in found.source if file.proof is not None]
    with_twin = [file for file in proved if file.twin is not None]
    reasons = Counter(str(file.reason) for file in found.unproven)
    return {
        "files": len(found.source),
        "bytes": _bytes(found.source),
        "proved": len(proved),
        "by": {
            str(proof): {"files": len(group), "bytes": _bytes(group)}
            for proof in Proof
            for group in ([file for file in proved if file.proof is proof],)
        },
        "whole": sum(file.whole for file in proved),
        "duplicates": len(with_twin) - len({id(file.twin) for file in with_twin}),
        "unproven": {str(reason): reasons[reason] for reason in Reason},
    }


def _sentence(fields: Mapping[str, Any]) -> str:
    if not fields["files"]:
        return f"nothing to prove: {fields['source']} has no file to look for; is the path right?"
    parts = [f"{one['files']:,} {_IN_WORDS[Proof(proof)]}" for proof, one in fields["by"].items() if one["files"]]
    all_proved = fields["proved"] == fields["files"]
    files = f"{fields['files']:,} of {fields['files']:,}" if all_proved else f"only {fields['proved']:,} of {fields['files']:,}"
    text = f"{fields['target']} holds the contents of {files} files ({size_text(fields['bytes'])}) of {fields['source']}"
    if parts:
        text += f" ({', '.join(parts)})"
    if fields["by"][Proof.SOUND]["files"]:
        whole = f"{fields['whole']:,} of them were checked to the end by their own checksums" if fields["whole"] else ""
        text += f"; of what is proved by its sound, neither each byte nor the tags were compared{whole and f', and {whole}'}"
    if fields["duplicates"]:
        text += f"; {counted(fields['duplicates'], 'duplicate')} of the source, of which the target has fewer copies"
    reasons = [f"{number:,} {reason}" for reason, number in fields["unproven"].items() if number]
    return text + (f"; not proved: {', '.join(reasons)}" if reasons else "")


def _bytes(files: Sequence[Wanted]) -> int:
    return sum(file.entry.size or 0 for file in files)


def _row(file: Wanted) -> dict[str, Any]:
    return {
        "path": file.path,
        "id": file.entry.id if file.shares_name else None,
        "size": file.entry.size,
        "reason": str(file.reason),
        "message": file.why,
        "target": file.twin.path if file.twin is not None else None,
    }


def _folders(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[split_path(row["path"])[0], row["reason"]].append(row)
    return [
        {
            "reason": reason,
            "folder": f"{folder}/" if folder else "(the top folder)",
            "files": len(group),
            "size": sum(row["size"] or 0 for row in group),
            "path": split_path(group[0]["path"])[1],
            "message": group[0]["message"],
        }
        for (folder, reason), group in sorted(groups.items())
    ]
