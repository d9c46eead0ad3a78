"""(g) Precision and recall of duplicates, tier by tier, on a library whose true duplicates are known.

    python -m benchmarks.duplicates [--rounds 3] [--locations LOCATIONS ...]

The library (tests/truth) is generated: for each file it is known in advance which recording it holds, in which encoding, and
for which track of which release. What the rules say about it is written down independently of the planner. The library has
the hard cases: editions, remasters, live takes, clean versions, box sets, compilations, albums with the same name, discs
with equal titles, silence, missing and placeholder tags, cut files. The real program scans and searches it: on a disk; on
S3; split over S3 and WebDAV; split over (emulated) Google Drive and Dropbox. Hashes: md5 on S3, md5 and sha on Drive,
Dropbox's own on Dropbox.

- true pairs: pairs of files that are the same by that tier and by no stronger one.
- recall: pairs of which one file is quarantined, or which are reported with the rule that keeps both ("guarded").
- precision: the share of that tier's decisions that lose nothing. A decision that loses something is a false merge.
- The last row is files that only look alike (T4). They are only reported, never acted on; their precision shows why.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import say
from orchestrator.rclone.binary import find_rclone
from tests.truth.files import TrueLibrary, judge
from tests.truth.laid_out import HASHES, torn_apart
from tests.truth.library import truth_library
from tests.truth.outcome import likeness_of, outcome_of

LOCATIONS = ("local", "s3_serve", "s3_serve+webdav", "drive+dropbox")


def _measure(library: TrueLibrary, kinds: Sequence[str], work: Path) -> bool:
    config = work / "rclone.conf"
    config.touch(mode=0o600)
    with torn_apart(library, kinds, work, find_rclone(None).path, config) as parts:
        locations = [part.location for part in parts]
        options = ["--json", "--state-dir", str(work / "state"), "--rclone-config", str(config)]
        usage = measure.run([*measure.PROGRAM, "dedup", *locations, *options])
    events = [json.loads(line) for line in usage.output.splitlines() if line.startswith("{")]
    if not events or events[-1]["exit_code"] not in (0, 3):  # 3: the damaged files of the library are reported
        raise SystemExit(f"dedup ended with {usage.exit_code}:\n{usage.output[-3000:]}")
    outcome = outcome_of(events)
    where = {path: number for number, part in enumerate(library.split(len(kinds))) for path in part.files}
    verdict = judge(library, outcome.decisions, outcome.kept, [HASHES[kind] for kind in kinds], where)
    counts = f"{len(library.files)} tracks, {len(outcome.decisions)} duplicates"
    say(f"\n{' + '.join(kinds)}: {counts}; {usage.wall_s:.1f} s with the scan")
    say(f"  {'tier':6}{'true pairs':>12}{'found':>8}{'guarded':>9}{'recall':>9}{'decisions':>11}{'right':>8}{'precision':>11}")
    for tier, score in verdict.scores.items():
        found = f"{score.recall:9.3f}" if score.true_pairs else f"{'-':>9}"
        precise = f"{score.precision:11.3f}" if score.decisions else f"{'-':>11}"
        pairs = f"{score.true_pairs:12}{score.removed:8}{score.reported:9}{found}"
        say(f"  {tier:6}{pairs}{score.decisions:11}{score.right:8}{precise}")
    alike = likeness_of(library, outcome)
    recall, precision = alike.found / max(1, alike.to_be_listed), alike.same_recording / max(1, alike.listed)
    listed = f"{alike.listed:11}{alike.same_recording:8}{precision:11.3f}"
    say(f"  {'T4':6}{alike.to_be_listed:12}{0:8}{alike.found:9}{recall:9.3f}{listed}  (only reported)")
    for decision in verdict.false_merges[:20]:
        say(f"  FALSE MERGE  {decision.tier}: {decision.duplicate} for {decision.kept}")
    for one, other, tier in verdict.missed[:20]:
        say(f"  missed  {tier}: {one} = {other}")
    held = measure.verdict("false merges", len(verdict.false_merges), 0, at_least=False)
    least = min(score.recall for tier, score in verdict.scores.items() if tier != "T3")
    return measure.verdict("recall of T0, T1 and T2", least, 1, at_least=True) and held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often every case occurs, each time in other formats: 1,008 tracks a round"
    )
    parser.add_argument("--locations", nargs="+", choices=LOCATIONS, default=LOCATIONS, help="only these")
    options = parser.parse_args()
    library = truth_library(options.rounds)
    say(f"{measure.machine()}, rclone {find_rclone(None).version}, {len(library.files)} tracks")
    for kinds in options.locations:
        with measure.workspace() as work:
            _measure(library, kinds.split("+"), work)


if __name__ == "__main__":
    main()
