"""`verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.framework import command
from orchestrator.config.options.verify import VerifyOptions

if TYPE_CHECKING:
    from orchestrator.actions.session import Session


@command("verify", VerifyOptions)
def verify_command(session: Session, options: VerifyOptions) -> int:
    """Prove that TARGET holds the contents of all files of SOURCE, whatever they are called there.

    Compares hashes, otherwise what music says about its sound; --full reads what has no hashes. Lists the files that are not
    proved, and ends with 3 if there are any. Changes nothing.
    """
    from orchestrator.actions.verify import verify  # noqa: PLC0415 - imported when the command runs

    return verify(options, session).exit_code
