"""The program's first lines, and `python -m orchestrator`: a signal ends the program with 130 even while it is still loading."""

from __future__ import annotations

import os
import signal

_INTERRUPTED = 130


def _end_at_once(*_: object) -> None:
    """Nothing is open yet, or everything is closed already."""
    os._exit(_INTERRUPTED)


for _number in (signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(_number) in {signal.SIG_DFL, signal.default_int_handler}:
        signal.signal(_number, _end_at_once)

from orchestrator.cli.main import main  # noqa: E402 - loading takes 0.1 s

if __name__ == "__main__":
    main()
