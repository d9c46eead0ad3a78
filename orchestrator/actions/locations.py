"""Locations as users name them: find them, and refuse before any work what cannot be used."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import msgspec

from orchestrator.actions.session import Session
from orchestrator.config.model import Cloud
from orchestrator.errors import (
    AccessDeniedError,
    AuthError,
    NoCredentialsError,
    NotFoundError,
    OrchestratorError,
    OtherRegionError,
    PermanentError,
    TransientError,
    UsageError,
)
from orchestrator.location import CLOUD_REMOTE, Location, path_below
from orchestrator.paths import is_local, is_ours, join_location, remote_of
from orchestrator.profiles import Profile, load_profile, profile_for_environment_remote
from orchestrator.rclone.classify import CLOCK_WRONG, NOT_OBSCURED
from orchestrator.records import OWN_DIRECTORY
from orchestrator.storage.local_path import why_not_writable
from orchestrator.storage.protocol import PROBE


def source_and_target(session: Session, source_text: str, target_text: str | None) -> tuple[Location, Location]:
    """The source and the target; without a target, the source is both.

    Raises UsageError when the target lies inside the source, and what `check_location` raises.
    """
    found = session.locations(*([source_text] if target_text is None else [source_text, target_text]))
    for location in found:
        check_location(session, location)
    source, target = found[0], found[-1]
    below = session.path_below(target, source)
    if below == "":
        return source, source
    if below is not None:
        raise UsageError(
            f"the target {target.typed} lies inside the source {source.typed}: choose a folder outside, or organize in place"
        )
    check_shared(session, [source, target])
    inside = session.path_below(source, target)
    if inside and path_below(source.fs, target.fs) is None:  # inside it under another name: one name shows that each file is one
        source = msgspec.structs.replace(target, fs=join_location(target.fs, inside), typed=source.typed)
    return source, target


def check_shared(session: Session, locations: Sequence[Location]) -> None:
    """Refuse locations of which one is not inside the other, and which yet have a folder in common. Raises UsageError.

    Such as a union and one of the folders that it unites: each file of that would be there twice.
    """
    for one, other in combinations(locations, 2):
        nested = session.path_below(one, other) is not None or session.path_below(other, one) is not None
        if not nested and (session.overlap(one, other) or one_folder(one, other)):
            raise UsageError(f"{one.typed} and {other.typed} have a folder in common: use only one of them")


def one_folder(one: Location, other: Location) -> bool:
    """Whether two folders of this machine are the same one, as a mount can show it twice."""
    here, there = Path(one.fs), Path(other.fs)
    return one.local and other.local and here.is_dir() and there.is_dir() and here.samefile(there)


def check_location(session: Session, location: Location) -> None:
    """Refuse where nothing may be changed: the top level of an object store, and our own folder. Raises UsageError."""
    check_bucket(session, location)
    check_not_ours(session, location)


def check_not_ours(session: Session, location: Location) -> None:
    """Refuse a location inside the program's own folder of another one, whatever it is called. Raises UsageError."""
    if any(is_ours(identity.rpartition(":")[2]) for identity in session.identities_of(location.fs)):
        raise UsageError(
            f"{location.typed} lies in {OWN_DIRECTORY}, which belongs to the program: name the folder around it; "
            "`music-orchestrator quarantine list` shows what is in there, and `quarantine restore` moves it back"
        )


def check_folder(location: Location) -> Path | None:
    """The nearest existing folder of a location on this machine, None for a remote. Raises UsageError for a file."""
    if not location.local:
        return None
    path = Path(location.fs)
    nearest = next(one for one in (path, *path.parents) if os.path.lexists(one))
    if nearest == path and not path.is_dir():
        raise UsageError(f"{location.typed} is not a folder: name the folder that it is in")
    if not nearest.is_dir():
        raise UsageError(f"{location.typed}: {nearest} is not a folder")
    return nearest


def check_exists(location: Location) -> None:
    """Refuse a folder of this machine that does not exist, before anything is asked. Raises UsageError."""
    if check_folder(location) not in {None, Path(location.fs)}:
        raise _missing(location)


def _missing(location: Location, what: str = "such folder") -> UsageError:
    if location.definition is not None:  # a remote of ours, which the user's rclone does not know
        create = "the provider's own tool"
    else:
        create = f"`{'mkdir -p' if location.local else 'rclone mkdir'} {shlex.quote(location.fs)}`"
    look = ""
    if not location.local and location.definition is None:
        parent, slash, _ = location.path.rpartition("/")
        look = f" (`rclone lsd {shlex.quote(f'{location.remote}:{parent or slash}')}` lists those that exist)"
    return UsageError(f"{location.typed.removesuffix(':')}: there is no {what}: check the name{look}, or create it with {create}")


def check_target(target: Location) -> None:
    """Check before any work that a target on this machine can be created and written to. Raises UsageError."""
    why = why_not_writable(target.fs) if check_folder(target) is not None else None
    if why is not None:
        raise UsageError(f"{target.typed}: {why}")


def check_root(session: Session, location: Location) -> None:
    """For a folder that does not exist: refuse a remote whose own root is not there either. Raises UsageError.

    Its address is wrong, and each file that is sent there would fail. An alias or a crypt begins in a folder of another remote or
    of a disk, which is made like any other: the root of that one counts.
    """
    for place in () if location.local else session.places_of(location.fs):
        remote, colon, path = place.fs.partition(":")
        if is_local(place.fs) or not place.named or not path.strip("/"):
            continue
        (root,) = session.named(f"{remote}{colon}{'/' if path.startswith('/') else ''}")
        with reaching(session, location), contextlib.suppress(AccessDeniedError):  # only a folder further down may be open to us
            if session.rclone_storage(root).entries("") is None:
                raise PermanentError(f"not even {root.fs} is there")


def check_bucket(session: Session, location: Location) -> None:
    """Refuse the top level of an object store, where an artist's folder would become a bucket. Raises UsageError.

    So is the top level of a `combine`, which has no folders of its own.
    """
    if location.remote is None:
        return
    backend = location.definition.type if location.definition is not None else session.remotes.get(location.remote)
    profile = load_profile(backend or "")
    tops = {location.fs: profile}
    if profile.wraps is not None:
        places = session.places_of(location.fs)
        if any(place.virtual for place in places):
            raise UsageError(
                f"{location.fs} only shows other remotes together, and nothing can be put beside them: name one of its folders"
            )
        tops = {place.fs: load_profile(session.rclone.remote_type(place.fs)) for place in places}
    for fs, profile in tops.items():
        if _is_top_level(fs, profile):
            raise UsageError(
                f"{location.fs} holds {profile.top_level}, not folders: name one, such as {_example(location, profile)}"
            )


def all_buckets(session: Session, location: Location) -> str | None:
    """What to say of the top level of an object store, where only reading is possible; None for any other location."""
    if location.remote is None or not _is_top_level(location.fs, profile := session.rclone_storage(location).profile):
        return None
    one = _example(location, profile)
    return f"{location.typed} means all {profile.top_level} of the account; to scan only one, name it, such as {one}"


def _is_top_level(fs: str, profile: Profile) -> bool:
    return profile.has_buckets and not fs.partition(":")[2].strip("/")


def _example(location: Location, profile: Profile) -> str:
    return join_location(location.fs, f"my-{profile.top_level.removesuffix('s')}/Music")


@contextmanager
def reaching(session: Session, location: Location) -> Iterator[None]:
    """Around requests to a location: an error about all of it names the location and says what to do.

    Raises UsageError when there is no such location or it cannot be used as it is configured, AuthError when it may not be used.
    """
    try:
        yield
    except NotFoundError as error:
        raise _not_there(session, location) from error
    except TransientError as error:
        _name(location, error, f"cannot be reached: {_reason(location, error)}")
        raise
    except AuthError as error:
        if location.local:  # it is about the rclone config
            raise
        _name(location, error, _why_refused(session, location, error))
        raise
    except AccessDeniedError as error:
        raise _no_access(session, location, error) from error
    except OtherRegionError as error:
        raise UsageError(_other_region(session, location, error)) from error
    except PermanentError as error:
        if location.local:
            raise
        raise UsageError(_not_usable(session, location, error)) from error


def _not_there(session: Session, location: Location) -> UsageError:
    """The error for a location that does not exist; of a remote as a whole, the address is wrong."""
    if location.local or location.path.strip("/"):
        return _missing(location, _what_is_missing(session, location))
    where = where_defined(session, location)
    return UsageError(f"{location.typed.removesuffix(':')}: nothing is there: check the address of the remote {where}")


def _why_refused(session: Session, location: Location, error: AuthError) -> str:
    """What to say of a location that accepts no request of ours."""
    if isinstance(error, NoCredentialsError):
        return f"needs credentials, and none are set: {_where_to_set(session, location)}"
    reason = _reason(location, error)
    if CLOCK_WRONG in reason:
        return f"refuses requests: {reason}"
    return f"refuses the credentials: {_remedy(session, location)} ({reason})"


def _not_usable(session: Session, location: Location, error: PermanentError) -> str:
    """What to say of a location that cannot be used as it is configured."""
    reason = _reason(location, error)
    if NOT_OBSCURED in reason:
        settings = session.config.remotes.get(location.remote or "")
        ours = settings is not None and settings.type is not None
        how = f"give it under `remotes.{location.remote}.secrets` in the config, as you would type it"
        how = how if ours else f"`rclone config password {location.remote} pass PASSWORD` stores it so"
        return f"{location.typed} cannot be used: {NOT_OBSCURED}: {how}"
    what = f"check the address, the region and the account of its remote {where_defined(session, location)}"
    return f"{location.typed} cannot be used: {what} ({reason})"


def _no_access(session: Session, location: Location, error: AccessDeniedError) -> OrchestratorError:
    """The error for a location that may not be used at all."""
    reason = _reason(location, error)
    if location.local:
        return UsageError(f"{location.typed} may not be read: fix its permissions ({reason})")
    profile = session.rclone_storage(location).profile
    if profile.anonymous_without and not any(session.rclone.option(location.fs, one) for one in profile.anonymous_without):
        where = _where_to_set(session, location)
        return NoCredentialsError(f"{location.typed} refuses access without credentials, and none are set: {where} ({reason})")
    hint = f"; {profile.access_hint}" if profile.access_hint else ""
    return AuthError(
        f"{location.typed} refuses access: grant these credentials the right to list and read it, or use others{hint} ({reason})"
    )


def _name(location: Location, error: OrchestratorError, what: str) -> None:
    """Let an error say something of a location, once: its path is left to files of the library."""
    error.message = f"{location.typed} {what}"
    if error.path is not None and (error.path.partition(":")[0] == location.remote or is_ours(error.path)):
        error.path = None


def _reason(location: Location, error: OrchestratorError) -> str:
    """The message of an error without the location before it."""
    reason = error.message
    for named in (error.path or "", location.fs):
        reason = reason.removeprefix(f"{named.removesuffix(':')}: ")
    return reason


def _what_is_missing(session: Session, location: Location) -> str:
    """A bucket by its name, which need not be in what the user typed; that a folder in it is missing, nobody can say."""
    profile = None if location.local else session.rclone_storage(location).profile
    bucket = location.path.strip("/").partition("/")[0]
    if profile is None or not profile.has_buckets or not bucket:
        return "such folder"
    return f"{profile.top_level.removesuffix('s')} {bucket}"


def _other_region(session: Session, location: Location, error: OtherRegionError) -> str:
    """What to say of a bucket in another region."""
    region = error.region or session.rclone.answer_to_look(location.fs, PROBE).bucket_region
    if region is not None:
        return f"{location.typed}: its bucket is in the region {region}: {_set_region(session, location, region)}"
    bucket = location.path.strip("/").partition("/")[0]
    return (
        f"{location.typed}: its bucket is in another region: {_set_region(session, location, 'REGION')}. The provider's console "
        f"shows which, as does `curl -sI https://{bucket}.s3.amazonaws.com` at AWS (x-amz-bucket-region) ({error.message})"
    )


def _set_region(session: Session, location: Location, region: str) -> str:
    remote = location.remote or ""
    settings = session.config.remotes.get(remote)
    here = profile_for_environment_remote(remote)
    if session.rclone_storage(location).profile.wraps is not None:
        how = f"set `region` to {region} for the remote that {remote}: leads to"
    elif here is not None:
        how = f"set {here.environment.options['region'][0]} to {region}"
    elif remote == CLOUD_REMOTE and session.config.cloud is not None:
        how = f"set `cloud.region: {region}` in the config"
    elif settings is not None and (settings.type is not None or "region" in settings.options):
        how = f"set `remotes.{remote}.options.region: {region}` in the config"
    else:
        how = f"`rclone config update {remote} region {region}` sets it"
    return f"{how}; an `endpoint` must belong to that region, too"


def where_defined(session: Session, location: Location) -> str:
    """Where the remote of a location is defined."""
    profile = profile_for_environment_remote(location.remote or "")
    if profile is not None:
        return (
            f"in the variables that it takes from the environment, such as {next(iter(profile.environment.options.values()))[0]}"
        )
    if location.remote == CLOUD_REMOTE and session.config.cloud is not None:
        return "under `cloud:` in the config"
    settings = session.config.remotes.get(location.remote or "")
    if settings is not None and settings.type is not None:
        return f"under `remotes.{location.remote}` in the config"
    return f"with `rclone config show {location.remote}`"


def _remedy(session: Session, location: Location) -> str:
    """Where to correct the credentials of a location."""
    profile = profile_for_environment_remote(location.remote or "")
    if profile is not None:
        return f"correct {profile.environment.credentials}, or name a remote of the rclone config under `schemes:`"
    cloud = session.config.cloud
    if location.remote == CLOUD_REMOTE and cloud is not None:
        return _remedy_of_cloud(session, location, cloud)
    settings = session.config.remotes.get(location.remote or "")
    if settings is not None and settings.secrets:
        return f"correct what `remotes.{location.remote}.secrets` in the config leads to"
    if settings is not None and settings.type is not None:
        return f"correct `remotes.{location.remote}.options` in the config"
    remedy = f"{_by_rclone(session, location)} fixes them"
    if settings is not None and settings.options:
        remedy += f", unless they are in `remotes.{location.remote}.options` of the config"
    return remedy


def _by_rclone(session: Session, location: Location) -> str:
    """What changes the credentials of a remote of the rclone config, or of the one behind it."""
    place = session.places_of(location.fs)[0]
    remote = remote_of(place.fs) if place.named else location.remote
    backend = session.rclone.backends.find(session.rclone.remote_type(place.fs))
    if backend is not None and backend.signs_in:
        return f"`rclone config reconnect {remote}:`"
    return f"`rclone config update {remote}`"


def _where_to_set(session: Session, location: Location) -> str:
    """Where the credentials of a location can come from, if it has none."""
    remote, profile = location.remote or "", session.rclone_storage(location).profile
    variables = profile.environment.credentials
    here = f"set {variables}" if variables else ""
    if profile_for_environment_remote(remote) is not None:
        return f"{here}, or name a remote of the rclone config under `schemes:`"
    settings = session.config.remotes.get(remote)
    if remote == CLOUD_REMOTE and session.config.cloud is not None:
        new = profile.new_remote
        known = {"credentials_env": new.credentials_text, "credentials_path": new.credentials_file}
        keys = [f"`cloud.{key}`" for key in known if known[key] is not None]
        return f"name them with {' or '.join([*keys, '`cloud.secrets`'])} in the config{f', or {here}' if here else ''}"
    if settings is not None and settings.type is not None:
        return f"name them with `remotes.{remote}.secrets` in the config"
    return f"use {_by_rclone(session, location)}, or name them with `remotes.{remote}.secrets` in the config"


def _remedy_of_cloud(session: Session, location: Location, cloud: Cloud) -> str:
    if cloud.credentials_env is not None:
        return f"correct the variable {cloud.credentials_env}, which `cloud.credentials_env` names"
    given = {"secrets": cloud.secrets, "options": cloud.options, "credentials_path": cloud.credentials_path}
    key = next((key for key, value in given.items() if value), None)
    if key is None:
        variables = session.rclone_storage(location).profile.environment.credentials
        given_by = f"correct {variables}, or " if variables else ""
        return f"{given_by}name others with `cloud.credentials_env` in the config"
    return f"correct `cloud.{key}` in the config"
