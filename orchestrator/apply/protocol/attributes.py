"""What belongs to a file beside its content: between disks of this machine, copies keep it, as those of `cp -p` do.

That is the mode, the owner where allowed, the access times, `user.*` attributes and the access control list.

rclone keeps the modification time. Its own way to keep the others fails the whole copy where a target refuses one of them, and
leaves out ACLs. A copy is never open to more users than its source: it lies in a directory that only we may enter until it has
all of this, and what cannot be kept is narrowed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable

from orchestrator.apply.protocol.routes import COPIES, Route
from orchestrator.apply.protocol.task import Task
from orchestrator.plan.model import is_temporary
from orchestrator.storage.local_path import local_path

_ACL = "system.posix_acl_access"
_GROUP, _OTHERS = 0o070, 0o007

PERMISSIONS, OWNER, ACL, ATTRIBUTES = "permissions", "owner", "access control list", "extended attributes"
"""What a target may refuse."""


def shelter(tasks: Iterable[Task]) -> None:
    """Close the directories where copies to a disk arrive to everybody else."""
    ours = [task for task in tasks if task.staged is not None or is_temporary(task.dst)]
    for directory in {os.path.dirname(path) for task in ours if (path := _arrives_at(task)) is not None}:  # noqa: PTH120 - many
        with contextlib.suppress(OSError):  # then rclone says why it cannot write there
            os.makedirs(directory, exist_ok=True)  # noqa: PTH103 - as above
            os.chmod(directory, 0o700)  # noqa: PTH101 - as above


def keep_attributes(tasks: Iterable[Task]) -> None:
    """Give each copy between disks what belongs to its source; note in the task what the target refuses."""
    for task in tasks:
        source, copy = local_path(task.source, task.src), _arrives_at(task)
        if source is None or copy is None or task.error is not None:
            continue
        try:
            task.not_kept = _keep(source, copy, times=task.route is not Route.WRITE)
        except OSError:  # on disk, rclone spells control characters and bytes that are not UTF-8 differently
            task.not_kept = frozenset({PERMISSIONS})


def _arrives_at(task: Task) -> str | None:
    """Where the copy lies on this machine; None elsewhere."""
    if task.route not in COPIES and task.route is not Route.WRITE:
        return None
    return local_path(task.target, (None if task.arrived else task.staged) or task.dst)


def _keep(source: str, copy: str, *, times: bool) -> frozenset[str]:
    """What was not kept. Raises OSError when one of the files is not there."""
    wanted, before = os.lstat(source), os.lstat(copy)
    refused = {*_keep_attributes(source, copy)}
    if not _keep_owner(copy, wanted, before):
        refused.add(OWNER)
    mode = stat.S_IMODE(wanted.st_mode) & 0o777
    if not _keep_acl(source, copy):
        refused.add(ACL)
        mode = _without_group(mode)  # its group bits stood for everybody in the list
    elif os.lstat(copy).st_gid != wanted.st_gid:
        mode = _without_group(mode)  # those of another group
    with contextlib.suppress(OSError):  # the comparison below shows it
        os.chmod(copy, mode)  # noqa: PTH101 - many
    if times:
        with contextlib.suppress(OSError):  # only the time of the last access is lost
            os.utime(copy, ns=(wanted.st_atime_ns, before.st_mtime_ns))
    if stat.S_IMODE(os.lstat(copy).st_mode) != stat.S_IMODE(wanted.st_mode) & 0o777:  # FAT and others accept and ignore it
        refused.add(PERMISSIONS)
    return frozenset(refused)


def _without_group(mode: int) -> int:
    """The mode with no more rights for the group than for others."""
    return mode & ~_GROUP | mode & (mode & _OTHERS) << 3


def _keep_attributes(source: str, copy: str) -> Iterable[str]:
    if not hasattr(os, "listxattr"):
        return
    for name in _listed(source):
        if name.startswith("user."):
            try:
                os.setxattr(copy, name, os.getxattr(source, name))
            except OSError:
                yield ATTRIBUTES


def _listed(path: str) -> list[str]:
    try:
        return os.listxattr(path)
    except OSError:
        return []


def _keep_owner(copy: str, wanted: os.stat_result, before: os.stat_result) -> bool:
    """Only root may give a file to another user. For everybody else, owning the copy is normal, and is not reported."""
    if (wanted.st_uid, wanted.st_gid) == (before.st_uid, before.st_gid):
        return True
    root = os.geteuid() == 0
    try:
        os.chown(copy, wanted.st_uid if root else -1, wanted.st_gid)
    except OSError:
        return not root
    now = os.lstat(copy)
    return not root or (now.st_uid, now.st_gid) == (wanted.st_uid, wanted.st_gid)


def _keep_acl(source: str, copy: str) -> bool:
    """Also takes away the ACL that a new file gets from its directory."""
    if not hasattr(os, "getxattr"):
        return True
    try:
        acl = os.getxattr(source, _ACL)
    except OSError:
        acl = None
    try:
        if acl is not None:
            os.setxattr(copy, _ACL, acl)
        else:
            os.removexattr(copy, _ACL)
    except OSError as error:
        return acl is None and error.errno in {errno.ENODATA, errno.EOPNOTSUPP, errno.EINVAL}
    return True
