"""The options that every command accepts, and the sets of them that affect each kind of command."""

from __future__ import annotations

from typing import Annotated

from msgspec import structs

from orchestrator.config.options.declare import Options, option
from orchestrator.config.options.shared import Bandwidth, LogFile, Rclone, RcloneConfig, StateDirectory, Transfers

OUTPUT = ("json", "verbose", "quiet", "log_file")
"""They affect every command."""
CONFIGURED = ("config", *OUTPUT)
"""They affect commands that read the config."""
STATE = ("state_dir", *CONFIGURED)
"""They affect commands that use the catalogue or the journal."""
REMOTES = ("rclone", "rclone_config", "bandwidth", "transfers")
"""They affect commands that contact remotes."""
SCANS = (*STATE, *REMOTES, "max_delete")
"""They affect commands that scan."""
CHANGES = (*STATE, *REMOTES, "max_cost", "max_transfer", "dry_run", "exit_code", "yes", "ignore_marker")
"""They affect commands that change files."""


class CommonOptions(Options, frozen=True):
    """The options that every command accepts; None if not given."""

    dry_run: Annotated[bool | None, option("Show what would be done, without changing anything.")] = None
    exit_code: Annotated[bool | None, option("With --dry-run: exit with code 10 if changes are pending.")] = None
    yes: Annotated[bool | None, option("Do not ask for confirmation. Required for changes without a terminal.", short="-y")] = (
        None
    )
    json: Annotated[bool | None, option("Print only JSON lines on stdout.")] = None
    config: Annotated[str | None, option("The config file.", metavar="FILE")] = None
    state_dir: StateDirectory = None
    rclone: Rclone = None
    rclone_config: RcloneConfig = None
    bandwidth: Bandwidth = None
    transfers: Transfers = None
    max_delete: Annotated[
        str | None,
        option("Stop (exit code 7) if more files than this are gone or would go.", metavar="N|N%"),
    ] = None
    max_cost: Annotated[
        str | None,
        option("Stop (exit code 7) before the command costs more than this, in the currency of its prices.", metavar="MONEY"),
    ] = None
    max_transfer: Annotated[
        str | None,
        option("Stop (exit code 7) before the command sends and receives more than this, such as 10G.", metavar="SIZE"),
    ] = None
    ignore_marker: Annotated[bool | None, option("Continue even if a marker says that another run is active.")] = None
    verbose: Annotated[int, option("Print more; -vv prints debug messages too.", short="-v", counts=True)] = 0
    quiet: Annotated[
        bool | None, option("Do not list the changes: print one line, or nothing if there is nothing to do.", short="-q")
    ] = None
    strict: Annotated[
        bool | None, option("With -q, and in `run`: also report and count (3) problems that were reported before.")
    ] = None
    log_file: LogFile = None

    def over(self, outer: CommonOptions | None) -> CommonOptions:
        """These options, completed by those given before the command's name."""
        if outer is None:
            return self
        said = {name: value for name, value in structs.asdict(self).items() if value is not None}
        return structs.replace(outer, **said | {"verbose": self.verbose + outer.verbose})
