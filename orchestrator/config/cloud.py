"""From the section `cloud:` to the options of its remote. The secrets that it refers to are in the result, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from orchestrator import profiles
from orchestrator.config.plain_http import host_without_tls, hosts_without_tls
from orchestrator.config.references import file_of_credentials, is_variable, variable
from orchestrator.config.setting_syntax import parse_bandwidth
from orchestrator.errors import AuthError, ConfigError, UsageError
from orchestrator.profiles import CredentialsText, Profile
from orchestrator.wording import repeated

if TYPE_CHECKING:
    from orchestrator.config.model import Cloud


class OfCloud(NamedTuple):
    """A key of the section that cannot be used."""

    key: str
    reason: str
    """Why, without its value where that could be a secret."""


def cloud_problems(cloud: Cloud) -> Iterator[OfCloud]:
    """What cannot work, whatever the environment holds."""
    meant = profiles.provider_meant_by(cloud.provider or "")
    if meant is not None:
        yield OfCloud("provider", f"there is no provider {repeated(cloud.provider)!r}: write {meant}")
        return  # what is known of the provider would be wrong
    profile = _profile(cloud)
    credentials = next((name for name in ("credentials_env", "credentials_path") if getattr(cloud, name) is not None), None)
    if credentials is not None and cloud.provider is None:
        yield OfCloud(credentials, "needs a provider: set `provider`")
    else:
        yield from _of_credentials(cloud, profile)
    if "://" in (cloud.bucket or ""):
        yield OfCloud("bucket", _url_as_bucket(cloud.bucket or ""))
    if ".." in (cloud.remote_path or "").split("/"):
        yield OfCloud("remote_path", "leads out of the remote: leave out the `..`")
    yield from _of_numbers(cloud, profile)
    yield from _of_endpoint(cloud)


def _url_as_bucket(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme.lower() in {"http", "https"}:
        return "is the name of the bucket alone, such as my-music; the address of its server belongs into `endpoint`"
    return f"write it without {repeated(scheme)}://, as {repeated(rest.rpartition('@')[2].strip('/')) or 'my-music'}"


def _profile(cloud: Cloud) -> Profile:
    return profiles.load_profile(profiles.backend_type(cloud.provider or profiles.DEFAULT))


def _of_credentials(cloud: Cloud, profile: Profile) -> Iterator[OfCloud]:
    new = profile.new_remote
    if cloud.credentials_env is not None:
        if cloud.credentials_path is not None:
            yield OfCloud("credentials_path", "leave out one of credentials_path and credentials_env: only one can count")
        if not is_variable(cloud.credentials_env):
            yield OfCloud("credentials_env", "is the name of a variable, such as AWS_CREDENTIALS; the credentials are its value")
        elif new.credentials_text is None:
            yield OfCloud("credentials_env", f"the provider {cloud.provider} has no credentials in one text; {_ELSEWHERE}")
    elif cloud.credentials_path is not None and new.credentials_file is None:
        yield OfCloud("credentials_path", f"the provider {cloud.provider} has no file of credentials; {_ELSEWHERE}")
    if cloud.credentials_env is not None or cloud.credentials_path is not None:
        form = new.credentials_text
        of_form = {*form.parts, form.json, form.path} if form is not None else set()
        of_credentials = {new.credentials_file, *of_form, *(option for one in new.credentials for option in one)}
        given = of_credentials & (cloud.options.keys() | cloud.secrets.keys())
        if given:
            yield OfCloud(
                "secrets" if given & cloud.secrets.keys() else "options",
                f"leave out {min(map(str, given))}: another key of `cloud` gives the credentials",
            )


_ELSEWHERE = "make a remote with `rclone config`, and name it under `schemes:` or `locations:`"


def _of_numbers(cloud: Cloud, profile: Profile) -> Iterator[OfCloud]:
    size, limits = cloud.chunk_size, profile.new_remote.part_size
    if size is not None and "chunk_size" in cloud.options:
        yield OfCloud("options", "leave out chunk_size: `cloud.chunk_size` gives it")
    if size is not None and limits is not None:
        too_large = limits.most is not None and size > limits.most
        if size < limits.least or too_large or (limits.power_of_two and size.bit_count() != 1):
            yield OfCloud("chunk_size", f"{size} bytes: {limits.reason}")
    try:
        parse_bandwidth(bandwidth_of(cloud), "bandwidth_limit")
    except UsageError as error:
        yield OfCloud("bandwidth_limit", error.message.removeprefix("bandwidth_limit "))


def bandwidth_of(cloud: Cloud) -> str | None:
    """The limit in rclone's syntax. Bare numbers are bytes per second here; for rclone they would be KiB."""
    limit = cloud.bandwidth_limit
    return f"{limit}B" if isinstance(limit, int) or (limit is not None and limit.isdecimal()) else limit


def _of_endpoint(cloud: Cloud) -> Iterator[OfCloud]:
    if cloud.allow_http:
        return
    if cloud.endpoint is not None and (host := host_without_tls(cloud.endpoint)):
        yield OfCloud("endpoint", _without_tls(host))
    for option, host in hosts_without_tls(cloud.options).items():
        yield OfCloud("options", f"{option}: {_without_tls(host)}")


def _without_tls(host: str) -> str:
    return (
        f"http://{host} is on another host and has no TLS: others on the way could read and change the files; "
        "write https://, or allow it with `allow_http: true`"
    )


def cloud_options(cloud: Cloud, environment: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The backend of the remote and its options, credentials included, but for those under `cloud.secrets`.

    Raises ConfigError when no provider is named or the endpoint of the environment has no TLS, AuthError when the credentials
    that it refers to are not there.
    """
    if cloud.provider is None:
        raise ConfigError("cloud: the provider is missing; `music-orchestrator config set cloud.provider s3` sets it")
    profile = _profile(cloud)
    named = {profile.new_remote.region_option: cloud.region, "endpoint": cloud.endpoint}
    given = {option: value for option, value in named.items() if value}
    if cloud.chunk_size is not None:
        given["chunk_size"] = f"{cloud.chunk_size}B"  # a bare number would be KiB
    credentials = _credentials(cloud, profile, environment)
    complete = bool(credentials) or profile.complete({*cloud.options, *cloud.secrets})
    found = profile.variables_in(environment, credentials=not complete)
    host = host_without_tls(found.get("endpoint", "")) if not {"endpoint"} & (given.keys() | cloud.options.keys()) else None
    if host is not None and not cloud.allow_http:
        raise ConfigError(f"cloud: {profile.environment.options['endpoint'][0]}: {_without_tls(host)}")
    options = profile.remote_options({**found, **given, **credentials}, cloud.options, cloud.secrets)
    return profiles.backend_type(cloud.provider), options


def _credentials(cloud: Cloud, profile: Profile, environment: Mapping[str, str]) -> dict[str, str]:
    """The options that hold the credentials that the section refers to; none if it refers to none."""
    new = profile.new_remote
    if cloud.credentials_path is not None and new.credentials_file is not None:
        return {
            **new.with_file,
            new.credentials_file: str(file_of_credentials(cloud.credentials_path, "cloud.credentials_path", environment)),
        }
    if cloud.credentials_env is None or new.credentials_text is None:
        return {}
    name = f"cloud.credentials_env: {cloud.credentials_env}"
    text = variable(environment, cloud.credentials_env, name, new.credentials_text.shape)
    return _parsed(text, new.credentials_text, name, environment)


def _parsed(text: str, form: CredentialsText, name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The options that the text of a variable gives. Errors repeat none of it."""
    if form.parts:
        values = text.split(":")
        if not len(form.parts) - form.optional <= len(values) <= len(form.parts) or not all(values) or text[0] in "\"'{":
            raise AuthError(f"{name} does not hold {form.shape}: write it without quotes, and with no other colons")
        return dict(zip(form.parts, values, strict=False))
    if form.path is not None and not text.startswith("{"):
        return {form.path: str(file_of_credentials(text, name, environment))}
    try:
        # Shells and .env files turn the \n of a key into line breaks, which strict JSON, and rclone, do not accept.
        document = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        document = None
    if form.json is None or not isinstance(document, dict) or form.json_key not in document:
        raise AuthError(f"{name} does not hold {form.shape}")
    return {form.json: json.dumps(document)}
