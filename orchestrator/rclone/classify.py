"""Turns rclone's error messages into our error classes, with one table: the first matching rule wins."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.errors import (
    AccessDeniedError,
    ArchivedError,
    AuthError,
    BelowFileError,
    CorruptTransferError,
    DestinationExistsError,
    InUseError,
    NoCredentialsError,
    NotEmptyError,
    NotFoundError,
    NotWithThisKeyError,
    OrchestratorError,
    OtherRegionError,
    PermanentError,
    QuotaError,
    RateLimitError,
    TransientError,
    UnsupportedError,
    UsageError,
)
from orchestrator.rclone.redact import one_line

_TRANSIENT_CODES = frozenset({"0", "408", "425", *(str(code) for code in range(500, 600) if code not in {501, 507, 530})})
NOT_OBSCURED = "a password of its remote is not obscured, as rclone wants it"
"""What is wrong with a password that was written into an rclone config as it is typed."""
CLOCK_WRONG = "one of the two clocks is wrong: set that of this machine, such as with `timedatectl set-ntp true`"
"""What to do when a server refuses requests for the time in them."""
_REFUSED_NAMES = (
    *(
        "name too long",
        "keytoolong",
        "malformed_path",
        "disallowed_name",
        "invalid name",
        "not a valid name",
        "name is not valid",
    ),
    *("name is invalid", "name_invalid", "invalidname", "object name invalid", "invalid file name", "invalid filename"),
    *("reserved name", "name is reserved", "invalid character", "illegal character"),
)
"""How remotes say that they cannot have a file of some name."""

# (error class, texts in lower case, HTTP status codes as the providers' libraries write them into their messages)
_TABLE: tuple[tuple[type[OrchestratorError], tuple[str, ...], frozenset[str]], ...] = (
    (NotEmptyError, ("not empty",), frozenset()),
    (
        UsageError,
        (
            "didn't find section in config file",
            "is a file not a directory",
            "can't limit to single files",
            "didn't find backend called",
        ),
        frozenset(),
    ),
    (
        AuthError,
        (
            "unable to decrypt configuration",
            "couldn't decrypt configuration",
            "password command failed",
            "password-command returned",
        ),
        frozenset(),
    ),
    (UsageError, ("failed to load config",), frozenset()),
    (
        NoCredentialsError,  # of the AWS tools, Google, OAuth, Azure, B2; SFTP, FTP and WebDAV ask the server
        (
            *("no ec2 imds role found", "nocredentialproviders", "could not find default credentials", "empty token found"),
            *("account must be set", "no authentication method configured", "account not found", "no credentials"),
            "unable to get drive_id",
        ),
        frozenset(),
    ),
    (
        RateLimitError,
        (
            *("slowdown", "toomanyrequests", "too many requests", "too_many_", "ratelimitexceeded", "userratelimit", "throttl"),
            *("dailylimitexceeded", "quota exceeded for quota metric"),  # Google's limits on requests
        ),
        frozenset({"429"}),
    ),
    (InUseError, (), frozenset({"423"})),
    (
        QuotaError,
        (
            *("no space left", "insufficient_space", "insufficient storage", "quotaexceeded", "storagequota", "quota exceeded"),
            *("remaining disk space", "disk quota exceeded", "not enough space"),
        ),
        frozenset({"507"}),
    ),
    (
        AuthError,
        (
            *("unable to authenticate", "expiredtoken", "invalidaccesskeyid", "invalid_grant", "signaturedoesnotmatch"),
            *(
                "timetooskewed",
                "difference between the request time",
                "invalidtoken",
                "login incorrect",
                "invalid_access_token",
                "expired_access_token",
            ),
            *("authenticationfailed", "authorization failure", "no valid credential", "empty token"),
            *("failed to refresh cached credentials", "nocredentialproviders", "could not find default credentials"),
            *("no_permission", "missing_scope", "required scope", "insufficient authentication scopes", "accessnotconfigured"),
            *(
                "ssh-agent",
                "failed to read private key",
                "couldn't parse private key",
                "knownhosts:",
                "host key",
                "known_hosts_file",
            ),
        ),
        frozenset({"401", "530"}),
    ),
    (DestinationExistsError, (), frozenset({"412"})),  # even where the rest of the answer was lost: the server has decided
    (
        TransientError,
        (
            *(
                "connection refused",
                "connection reset",
                "reset by peer",
                "no such host",
                "i/o timeout",
                "unexpected eof",
                ": eof",
            ),
            *("tls handshake", "broken pipe", "connection lost", "network is unreachable", "no route to host", "timed out"),
            *("timeout awaiting response headers", "client.timeout", "request canceled", "server closed"),
            *("server misbehaving", "temporary failure in name resolution", "context canceled", "context deadline exceeded"),
            *("use of closed network connection", "http2: server sent goaway", "internal error"),
            # Of an answer of Dropbox's (5xx), rclone shows the text and not the code.
            *("internal server error", "bad gateway", "unavailable", "gateway timeout", "gateway time-out"),
        ),
        _TRANSIENT_CODES,
    ),
    (AuthError, ("couldn't fetch token",), frozenset()),  # refused, and not out of reach
    (NotWithThisKeyError, ("bad password?", "not an encrypted file", "file is too short to be encrypted"), frozenset()),
    (CorruptTransferError, ("hashes differ", "sizes differ", "corrupted on transfer"), frozenset()),
    (
        UnsupportedError,
        (*("hash unsupported", "hash type not supported", "doesn't support", "not supported", "not implemented", "unsupported"),),
        frozenset({"501", "405"}),
    ),
    (ArchivedError, ("invalidobjectstate", "restore first", "blobarchived"), frozenset()),  # the first one is a 403
    (
        OtherRegionError,
        (
            *("is wrong; expecting '", "permanentredirect", "movedpermanently", "illegallocationconstraint"),
            "failed to update region for bucket",  # rclone, which finds it out after a 301
        ),
        frozenset(),
    ),
    (AccessDeniedError, ("accessdenied", "permission denied", "access denied", "operation not permitted"), frozenset({"403"})),
    (PermanentError, ("read-only file system", "is a directory", "can't move directory"), frozenset()),
    (PermanentError, (*_REFUSED_NAMES, "restricted_content", "invalid argument"), frozenset({"414"})),
    (
        DestinationExistsError,
        ("to/conflict", "namealreadyexists", "item_name_in_use", "preconditionfailed", "file exists"),
        frozenset(),
    ),
    (
        NotFoundError,
        (
            *("not found", "nosuchbucket", "nosuchkey", "no such file or directory", "no such directory", "does not exist"),
            *("path/not_found", "from_lookup/not_found"),
        ),
        frozenset({"404", "410"}),
    ),
)

_CODE = re.compile(
    r"(?:(?:status ?code:? ?|https? (?:error|status|response|response code):? ?|googleapi: error |(?:^|: )error |\bstatus:? )"
    r"(\d{1,3})\b"
    r"|(?:: |^|\()([45]\d\d)(?=$|[:,;)]|\s+[A-Z(]))",
    re.IGNORECASE,
)
_REGION = re.compile(r"(?:is wrong; expecting '|can't set region to \")([\w-]+)")
_CLASS = re.compile(r"[Oo]bject in (\w+), restore first")
_RETRY_AFTER = re.compile(
    r"(?:retry[- ]after[\"']?[:=\s]*|try(?:ing)? again in |wait )(\d+(?:\.\d+)?)\s*(ms|s|m)?", re.IGNORECASE
)
# What rclone and the providers' libraries write around the reason.
_NOISE = re.compile(
    r"^(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?(?:(?:NOTICE|ERROR|CRITICAL)\S*\s*:\s*)?"
    r"|Failed to lsjson(?: with \d+ errors: last error was)?: |error in ListJSON: |error listing: "
    r"|panic received: |fatal error: |RequestID: [^,]*, HostID: [^,]*, "
)
_TO_DECRYPT = (
    "set `rclone_config_password: {command: [...]}` in the config, or the variable RCLONE_CONFIG_PASS or RCLONE_PASSWORD_COMMAND"
)
_REMEDIES = (
    (
        re.compile(r".*didn't find section in config file \(\"(.*)\"\).*"),
        r'there is no remote "\1"; `music-orchestrator remotes` lists all remotes',
    ),
    (re.compile(r".*is a file not a directory.*"), "this is a file, not a folder"),
    # Encrypted with a KMS key, the ETag is no MD5. rclone knows that only from its own option.
    (
        re.compile(r"(.*md5 hashes differ.*S3 bucket.*)"),
        r"\1: if the bucket encrypts with KMS by default, set `server_side_encryption: aws:kms` in the options of its remote",
    ),
    # A file that is encrypted on the way cannot be read twice, as the signature of an upload without TLS needs it.
    (
        re.compile(r"(.*request stream is not seekable.*)"),
        r"\1: over http, AWS takes nothing that is encrypted on the way: use https, or the option `use_unsigned_payload: 'true'`",
    ),
    (
        re.compile(r'.*[Ff]ailed to load config file "(.*)": open .*: permission denied.*'),
        r"\1 cannot be read: permission denied; give this user the right to read it, or name another file with `rclone_config`",
    ),
    (
        re.compile(r".*(?:when revealing password|[Cc]ouldn't decrypt password).*"),
        f"{NOT_OBSCURED}: `rclone config password REMOTE pass PASSWORD` stores it; `secrets:` of our config takes it as it is",
    ),
    (
        re.compile(r".*didn't find backend called \"([^\"]*)\".*"),
        r"this rclone has no backend called \1: correct the `type` of the remote; `rclone help backends` lists all",
    ),
    (
        re.compile(r"(.*(?:timetooskewed|difference between the request time).*)", re.IGNORECASE),
        rf"{CLOCK_WRONG} (\1)",
    ),
    (
        re.compile(r".*not allowed to ask for password.*"),
        f"the rclone config is encrypted, and nobody can be asked for its password: {_TO_DECRYPT}",
    ),
    (
        re.compile(r".*(?:unable to decrypt configuration|[Cc]ouldn't decrypt configuration).*"),
        f"the password does not open the encrypted rclone config: correct it; {_TO_DECRYPT}",
    ),
    (
        re.compile(r".*password.command (?:failed|returned).*"),
        "the command of RCLONE_PASSWORD_COMMAND, for the password of the rclone config, failed: run it by hand to see why",
    ),
)


def classify(text: str, *, status: int = 500, path: str | None = None, names: Iterable[str] = ()) -> OrchestratorError:
    """The error for rclone's message `text`.

    `status` is the HTTP status of the rc answer (404: not found, 400: our own mistake), `path` the file it is about. `names` are
    the paths in the call: they are ignored, so that a song called "429 connection refused" is not mistaken for an error.
    """
    anonymous = _without_names(text, (*names, path or ""))
    kind = _match(anonymous) or _by_status(anonymous, status)
    if kind is ArchivedError and path is not None:
        named = _CLASS.search(anonymous)
        return archived(path, named and named[1])
    message = one_line(_NOISE.sub("", text))
    if not message:  # a server that is overloaded may answer with nothing but a status, which rclone's Dropbox passes over
        kind, message = TransientError if kind is PermanentError else kind, "rclone gave no reason"
    for pattern, remedy in _REMEDIES:
        if found := pattern.search(message):
            message = found.expand(remedy)
    if path and not message.startswith(f"{path}:"):
        message = f"{one_line(path).removesuffix(':')}: {message}"
    if kind is RateLimitError:
        return RateLimitError(message, path=path, retry_after=retry_after(anonymous))
    if kind is OtherRegionError:
        region = _REGION.search(anonymous)
        return OtherRegionError(message, path=path, region=region and region[1])
    return kind(message, path=path)


def archived(path: str, storage_class: str | None) -> ArchivedError:
    """The error for a file in such a storage class (None: unknown)."""
    which = f" ({storage_class})" if storage_class else ""
    restored = "it can be read and moved once it was restored to another storage class"
    return ArchivedError(f"{one_line(path)}: archived{which}: {restored}", path=path)


def refuses_name(text: str, path: str, *, is_plain: bool) -> bool:
    """Whether a remote refused to have a file of this path because of its name, by the message of the failed operation.

    `is_plain`: every remote takes such a name, so an answer that gives no reason (400) is about something else.
    """
    anonymous = _without_names(text, (path,)).lower()
    if any(part in anonymous for part in _REFUSED_NAMES):
        return True
    codes = {named or bare for named, bare in _CODE.findall(anonymous)}
    return not is_plain and ("400" in codes or "bad request" in anonymous or "invalid argument" in anonymous)


def retry_after(text: str) -> float | None:
    """How many seconds the message says to wait; None if it does not."""
    found = _RETRY_AFTER.search(text)
    if found is None:
        return None
    return float(found[1]) * {"ms": 0.001, "m": 60.0}.get((found[2] or "s").lower(), 1.0)


def _without_names(text: str, names: Iterable[str]) -> str:
    """The text without the names that would match a rule. Keep the others: rclone itself uses words like "file"."""
    paths = set(names)
    misleading = {name for name in paths | {path.rpartition("/")[2] for path in paths} if name and _match(name)}
    misleading |= {part for path in paths for part in (path, *path.split("/")) if retry_after(part) is not None}
    for name in sorted(misleading, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "", text)
    return text


def _by_status(text: str, status: int) -> type[OrchestratorError]:
    if status == 404:
        return NotFoundError
    return BelowFileError if text.endswith("not a directory") else PermanentError


def _match(text: str) -> type[OrchestratorError] | None:
    lowered = text.lower()
    codes = {named or bare for named, bare in _CODE.findall(text)}
    for kind, texts, numbers in _TABLE:
        if not codes.isdisjoint(numbers) or any(part in lowered for part in texts):
            return kind
    return None
