"""(g) Duplicates: precision and recall, tier by tier, over a library of which the truth is known.

    python -m benchmarks.duplicates [--rounds 3] [--places PLACES ...]

The library (tests/truth) is made, not collected: which recording, in which encoding, for which place of which release each file
holds is known before anybody looks, and what follows by the rules is written down apart from the planner. It holds what is hard:
editions, remasters, live takes, clean versions, box sets, compilations, albums of one name, discs with equal titles, silence,
missing and placeholder tags, cut files. The real program scans it and searches it: on a disk; on S3; torn apart over S3 and
WebDAV; torn apart over (emulated) Google Drive and Dropbox. Hashes: md5 on S3, md5 and sha on Drive, Dropbox's own there.

- true pairs: pairs of files that are the same by that tier and by no stronger one.
- recall: those of which one goes, or which the report names together with the guard that keeps both ("guarded").
- precision: decisions that lose nothing, of all decisions of that tier. A false merge is one that loses something.
- The last row is what only looks alike (T4): listed for people, for the reason that its precision shows, and never acted on.
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

PLACES = ("local", "s3_serve", "s3_serve+webdav", "drive+dropbox")


def _measure(library: TrueLibrary, kinds: Sequence[str], work: Path) -> bool:
    config = work / "rclone.conf"
    config.touch(mode=0o600)
    with torn_apart(library, kinds, work, find_rclone(None).path, config) as places:
        locations = [place.location for place in places]
        options = ["--json", "--state-dir", str(work / "state"), "--rclone-config", str(config)]
        usage = measure.run([*measure.PROGRAM, "dedup", *locations, *options])
    events = [json.loads(line) for line in usage.output.splitlines() if line.startswith("{")]
    if not events or events[-1]["exit_code"] not in (0, 3):  # 3: the damaged files of the library are named
        raise SystemExit(f"dedup ended with {usage.exit_code}:\n{usage.output[-3000:]}")
    outcome = outcome_of(events)
    where = {path: number for number, part in enumerate(library.split(len(kinds))) for path in part.files}
    verdict = judge(library, outcome.decisions, outcome.kept, [HASHES[kind] for kind in kinds], where)
    say(f"\n{' + '.join(kinds)}: {len(library.files)} tracks, {len(outcome.decisions)} go; {usage.wall_s:.1f} s with the scan")
    say(f"  {'tier':6}{'true pairs':>12}{'go':>8}{'guarded':>9}{'recall':>9}{'decisions':>11}{'right':>8}{'precision':>11}")
    for tier, score in verdict.scores.items():
        found = f"{score.recall:9.3f}" if score.true_pairs else f"{'-':>9}"
        precise = f"{score.precision:11.3f}" if score.decisions else f"{'-':>11}"
        say(f"  {tier:6}{score.true_pairs:12}{score.gone:8}{score.named:9}{found}{score.decisions:11}{score.right:8}{precise}")
    alike = likeness_of(library, outcome)
    recall, precision = alike.found / max(1, alike.to_be_listed), alike.same_recording / max(1, alike.listed)
    listed = f"{alike.listed:11}{alike.same_recording:8}{precision:11.3f}"
    say(f"  {'T4':6}{alike.to_be_listed:12}{0:8}{alike.found:9}{recall:9.3f}{listed}  (listed, never decided)")
    for decision in verdict.false_merges[:20]:
        say(f"  FALSE MERGE  {decision.tier}: {decision.goes} for {decision.stays}")
    for one, other, tier in verdict.missed[:20]:
        say(f"  missed  {tier}: {one} = {other}")
    held = measure.verdict("false merges", len(verdict.false_merges), 0, at_least=False)
    least = min(score.recall for tier, score in verdict.scores.items() if tier != "T3")
    return measure.verdict("recall of T0, T1 and T2", least, 1, at_least=True) and held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often all cases come, in other formats each time: 850 tracks each"
    )
    parser.add_argument("--places", nargs="+", choices=PLACES, default=PLACES, help="only these")
    options = parser.parse_args()
    library = truth_library(options.rounds)
    say(f"{measure.machine()}, rclone {find_rclone(None).version}, {len(library.files)} tracks")
    for kinds in options.places:
        with measure.workspace() as work:
            _measure(library, kinds.split("+"), work)


if __name__ == "__main__":
    main()
