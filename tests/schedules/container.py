"""Starts a program as in a container: `python -m tests.schedules.container ROOT VOLUMES ENVIRONMENT USER COMMAND...`.

ROOT is an empty folder for a root of its own, read-only, with the system, this checkout and its Python. Only VOLUMES (JSON: path
-> folder of the test, "" for memory) may be written. ENVIRONMENT (JSON) is the whole environment. Needs root.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from tests.schedules.confine import (
    CLONE_NEWNS,
    LAST_CAPABILITY,
    LIBC,
    MS_BIND,
    MS_PRIVATE,
    MS_REC,
    PR_CAPBSET_DROP,
    PR_SET_NO_NEW_PRIVS,
    check,
    mount,
    set_read_only,
)

CHECKOUT = Path(__file__).parents[2]
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/dev", "/proc")


def main() -> None:
    root, volumes, environment, user, *command = sys.argv[1:]
    rclone = Path(shutil.which("rclone") or command[0]).resolve()
    check(LIBC.unshare(CLONE_NEWNS))
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs")
    wanted = json.loads(volumes)
    for path, folder in wanted.items():
        show(folder, f"{root}{path}")
    for path in dict.fromkeys([*SYSTEM, str(CHECKOUT), sys.prefix, sys.base_prefix, str(rclone.parent)]):
        if Path(path).is_dir() and not Path(f"{root}{path}").exists():
            show(path, f"{root}{path}")
    set_read_only(root, read_only=True)
    for path in ("/dev", "/proc", *wanted):
        set_read_only(f"{root}{path}", read_only=False)
    os.chroot(root)
    os.chdir("/")
    for number in range(LAST_CAPABILITY + 1):
        check(LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0))
    os.setgroups([])
    os.setgid(int(user))
    os.setuid(int(user))
    check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    os.execvpe(command[0], command, json.loads(environment))  # noqa: S606 - without a shell


def show(folder: str, path: str) -> None:
    """Show a folder there, or an empty one in memory."""
    Path(path).mkdir(parents=True, exist_ok=True)
    if folder:
        mount(folder, path, flags=MS_BIND | MS_REC)
    else:
        mount("tmpfs", path, "tmpfs")


if __name__ == "__main__":
    main()
