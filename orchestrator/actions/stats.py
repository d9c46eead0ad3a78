"""Report what a library contains, and what is missing or damaged in it."""

from __future__ import annotations

import msgspec

import orchestrator
from orchestrator.actions.duplicates import layout_of, references_of, search_options, with_known_hashes
from orchestrator.actions.plan_files import check_output_file
from orchestrator.actions.scan import ScanSettings, latest_scan, legacy_encoding
from orchestrator.actions.scan_reports import report_scan
from orchestrator.actions.session import Session
from orchestrator.config.options.scan import StatsOptions
from orchestrator.errors import ExitCode
from orchestrator.location import Location
from orchestrator.plan.library_cost import library_cost
from orchestrator.plan.music.doubtful_texts import with_texts
from orchestrator.plan.music.positions import with_positions
from orchestrator.plan.music.statistics import Statistics, collect
from orchestrator.plan.planners.dedup.planner import DedupLocation, DedupRequest, duplicates_of
from orchestrator.prices import Prices, Quotas
from orchestrator.profiles import all_profiles, price_lists
from orchestrator.records import Item
from orchestrator.report.costs_view import show_costs
from orchestrator.report.statistics_view import show


class StatsResult(msgspec.Struct, frozen=True):
    """What `stats` came to."""

    exit_code: ExitCode
    """3 when files could not be read."""
    statistics: Statistics


def stats(options: StatsOptions, session: Session) -> StatsResult:
    """Scan a location (or, with `no_scan`, take the catalogue), count, and report. Raises what scanning raises."""
    page = check_output_file(options.html, "web page")
    (location,) = session.locations(options.location)
    settings = ScanSettings(options.include, options.exclude, reading=options.reading)
    result, capabilities = latest_scan(session, location, settings, no_scan=options.no_scan)
    code = report_scan(session, location, result, suspects=False)  # the statistics have a table of them
    session.reporter.stage("counting")
    entries = session.catalogue.entries(location.fs, result.selection)
    items = (Item(one.entry, one.reading, one.skipped_because) for one in entries)
    if options.no_duplicates:
        statistics = collect(items)  # one by one: a large library may not fit into memory
    else:
        read = with_positions(with_texts(list(items), legacy_encoding(session)))
        known, not_compared = with_known_hashes(session, location, read)
        found = duplicates_of(
            DedupRequest(
                locations=[DedupLocation(fs=location.fs, items=known, capabilities=capabilities)],
                options=search_options(session, None, references_of(session, ()), [location], precedence=[location]),
                tool_version=orchestrator.__version__,
                created="",
                layout=layout_of(session),
            )
        )
        duplicates = {one.duplicate.path: str(one.tier) for one in found.decisions}
        statistics = collect(known, duplicates, not_compared=not_compared)
    if page is not None:
        from orchestrator.actions.pages import save_statistics_page  # noqa: PLC0415 - few calls need it

        save_statistics_page(session, statistics, location.fs, page)
    else:
        show(statistics, location.fs, session.reporter)
    if options.cost:
        _show_costs(session, location, statistics)
    return StatsResult(code, statistics)


def _show_costs(session: Session, location: Location, statistics: Statistics) -> None:
    """Report what the library costs where it is, and at each provider whose prices are known."""
    files = statistics.music.files + statistics.other_files.files
    size = statistics.music.bytes + statistics.other_files.bytes
    lists: dict[str, Prices | Quotas] = {**price_lists()}
    lists |= {profile.type: profile.quotas for profile in all_profiles() if profile.quotas is not None}
    storage = session.rclone_storage(location).capabilities
    here = storage.prices or storage.quotas
    free = storage.local or here == Quotas()
    name = "local" if free else next((name for name, prices in lists.items() if prices == here), "own" if here else None)
    show_costs(
        location.fs,
        library_cost(name, here, files, size),
        [library_cost(name, prices, files, size) for name, prices in lists.items()],
        session.reporter,
    )
