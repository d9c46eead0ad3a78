"""Starts a program as systemd would start a service, as far as a test can: `python confine.py UNIT BINDS COMMAND...`.

Follows the settings of the unit that could keep the program from working: the file system, capabilities, system calls, sockets,
memory, environment. BINDS is JSON: path -> the folder of the test that is to be there (UNIT `-`: nothing but these, no limits).
Needs root, and libseccomp, which systemd brings.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
AT_FDCWD, AT_RECURSIVE, SYS_MOUNT_SETATTR, MOUNT_ATTR_RDONLY = -100, 0x8000, 442, 1
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 24, 38, 65
SCMP_ALLOW, SCMP_ERRNO, SCMP_EQ = 0x7FFF0000, 0x00050000, 4
CAPABILITIES = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_DAC_READ_SEARCH": 2, "CAP_FOWNER": 3, "CAP_FSETID": 4}
LAST_CAPABILITY = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
LIBC = ctypes.CDLL(None, use_errno=True)


class MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operation", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def check(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(source: str, target: str, kind: str | None = None, flags: int = 0) -> None:
    named = [one.encode() if one is not None else None for one in (source, target, kind)]
    check(LIBC.mount(*named, ctypes.c_ulong(flags), None))


def set_read_only(path: str, *, read_only: bool) -> None:
    """With all that is mounted below it."""
    wanted = MountAttributes(set=MOUNT_ATTR_RDONLY if read_only else 0, clear=0 if read_only else MOUNT_ATTR_RDONLY)
    size = ctypes.c_size_t(ctypes.sizeof(wanted))
    check(LIBC.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), AT_RECURSIVE, ctypes.byref(wanted), size))


def confine_files(unit: dict[str, list[str]]) -> None:
    if unit["ProtectSystem"] != ["strict"]:
        return
    states = [f"/var/lib/{name}" for name in unit.get("StateDirectory", [])]
    caches = [f"/var/cache/{name}" for name in unit.get("CacheDirectory", [])]
    for path in (*states, *caches):
        Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)
    writable = [one.removeprefix("-") for one in unit.get("ReadWritePaths", [])]
    writable = [one for one in (*writable, *states, *caches) if Path(one).exists()]
    for path in writable:
        mount(path, path, flags=MS_BIND | MS_REC)
    set_read_only("/", read_only=True)
    for path in ("/dev", "/proc", "/sys", *writable):
        set_read_only(path, read_only=False)
    if unit["PrivateTmp"] == ["yes"]:
        for path in ("/tmp", "/var/tmp"):
            mount("tmpfs", path, "tmpfs")
    if unit["PrivateDevices"] == ["yes"]:
        mount("tmpfs", "/dev/shm", "tmpfs")


def names_of_calls(names: Iterable[str]) -> set[str]:
    """The system calls of the sets and of what these lead to, as systemd knows them."""
    found: set[str] = set()
    for name in names:
        if name.startswith("@"):
            command = ["/usr/bin/systemd-analyze", "syscall-filter", name]
            listed = subprocess.run(command, capture_output=True, text=True, check=True)
            found |= names_of_calls(re.findall(r"^    ([@\w-]+)$", listed.stdout, re.MULTILINE))
        else:
            found.add(name)
    return found


def confine_calls(calls: Iterable[str], families: Iterable[str]) -> None:
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    made = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(SCMP_ERRNO | errno.EPERM)))
    for name in calls:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            continue
        rules = [Comparison(0, SCMP_EQ, int(getattr(socket, one)), 0) for one in families] if name == "socket" else [None]
        for rule in rules:
            given = (0, None) if rule is None else (1, ctypes.byref(rule))
            check(library.seccomp_rule_add_array(made, ctypes.c_uint32(SCMP_ALLOW), number, *given))
    check(library.seccomp_load(made))


def confine(unit: dict[str, list[str]], calls: set[str]) -> None:
    """All but the files: from here on, the process can do only what the service may."""
    kept = {CAPABILITIES[name] for name in unit["CapabilityBoundingSet"][0].split()}
    for number in range(LAST_CAPABILITY + 1):
        if number not in kept:
            check(LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0))
    if unit["MemoryDenyWriteExecute"] == ["yes"] and LIBC.prctl(PR_SET_MDWE, 1, 0, 0, 0) < 0:
        sys.stderr.write("this kernel is too old to refuse memory that is written and executed\n")
    check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    confine_calls(calls, unit["RestrictAddressFamilies"][0].split())


def settings(text: str) -> dict[str, list[str]]:
    """The settings of a unit, unquoted; those of a command line stay whole."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value if name == "ExecStart" else " ".join(shlex.split(value)))
    return found


def main() -> None:
    file, binds, *command = sys.argv[1:]
    unit = settings(Path(file).read_text()) if file != "-" else None
    calls = names_of_calls(unit["SystemCallFilter"]) if unit is not None else set()
    check(LIBC.unshare(CLONE_NEWNS))
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    for path, folder in json.loads(binds).items():
        mount(folder, path, flags=MS_BIND | MS_REC)
    if unit is None:
        os.execvp(command[0], command)  # noqa: S606 - without a shell
    environment = dict(one.split("=", 1) for one in unit["Environment"])
    if "StateDirectory" in unit:
        environment["STATE_DIRECTORY"] = f"/var/lib/{unit['StateDirectory'][0]}"
    confine_files(unit)
    confine(unit, calls)
    words = command or shlex.split(unit["ExecStart"][0])
    os.chdir("/")
    os.execvpe(words[0], words, environment)  # noqa: S606 - as above


if __name__ == "__main__":
    main()
