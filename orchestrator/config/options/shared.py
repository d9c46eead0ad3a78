"""Options that several commands have: each is described once, here."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from orchestrator.config.options.declare import argument, option

DedupAction = Literal["off", "report", "quarantine"]
ReadingPolicy = Literal["few-requests", "few-bytes"]

LocationArgument = Annotated[str, argument("The location.", completes="location")]
Include = Annotated[
    tuple[str, ...],
    option("Use only files that match this pattern. Naming a recycle bin ('#recycle') opens it.", metavar="GLOB"),
]
Exclude = Annotated[tuple[str, ...], option("Skip files that match this pattern.", metavar="GLOB")]
Settle = Annotated[str | None, option("Skip files changed within this time, such as 5m.", metavar="TIME", examples=["5m"])]
Reading = Annotated[
    ReadingPolicy | None, option("Read tags with few bytes or with few requests (default: depends on the remote).")
]
Keep = Annotated[
    str | None,
    option("The criteria that decide which copy to keep, in order, separated by commas.", metavar="CRITERIA"),
]
Reference = Annotated[
    tuple[str, ...],
    option("Never quarantine files in this location.", metavar="LOCATION", completes="location"),
]
SameFormatOnly = Annotated[bool, option("Never treat files in different formats as duplicates.")]
Checksum = Annotated[bool, option("Where a remote has no hashes, download files to compare their bytes.")]
VerifyCopies = Annotated[Literal["full"] | None, option("Read every copied file again and compare it.")]
PlanFile = Annotated[str | None, option("Also write the plan to this file.", name="plan", metavar="FILE", completes="file")]
Page = Annotated[str | None, option("Write a self-contained web page to this file, instead of printing.", metavar="OUT")]
MaxDelete = Annotated[int | str | None, option("Stop if more files than this would be quarantined or deleted.", examples=["10%"])]
"""In the config and in steps of jobs; on the command line it is a common option."""

Rclone = Annotated[str | None, option("The rclone binary.", metavar="PATH", examples=["/usr/local/bin/rclone"])]
RcloneConfig = Annotated[str | None, option("The rclone config file.", metavar="FILE", examples=["~/.config/rclone/rclone.conf"])]
StateDirectory = Annotated[str | None, option("The directory for the catalogue, the journal and locks.", metavar="DIR")]
LogFile = Annotated[str | None, option("Write a log, with rclone's messages, to this file.", metavar="FILE")]
Bandwidth = Annotated[
    str | None,
    option("Limit the bandwidth, in rclone's syntax: 10M, or a timetable.", metavar="RATE", examples=["10M"]),
]
Transfers = Annotated[
    Annotated[int, Meta(ge=1, le=1000)] | None,
    option("How many transfers run in parallel (default: 8).", metavar="N", examples=[8]),
]
