"""Which error class each message of rclone and the providers gets."""

from __future__ import annotations

import errno

import pytest

from orchestrator.errors import (
    AccessDeniedError,
    AuthError,
    BelowFileError,
    CorruptTransferError,
    DestinationExistsError,
    InUseError,
    NotEmptyError,
    NotFoundError,
    NotWithThisKeyError,
    OrchestratorError,
    PermanentError,
    QuotaError,
    RateLimitError,
    TransientError,
    UnsupportedError,
    UsageError,
)
from orchestrator.rclone import known_secrets
from orchestrator.rclone.classify import classify, retry_after
from orchestrator.rclone.ranges import local_error
from orchestrator.rclone.redact import one_line, redact

S3 = "operation error S3: {}, https response error StatusCode: {}, RequestID: 8AF2, HostID: xyz=, api error {}: some words"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (S3.format("PutObject", 503, "SlowDown"), RateLimitError),
        ("couldn't list directory: googleapi: got HTTP response code 503 with body: ", TransientError),
        ("place-id: unavailable", TransientError),  # Dropbox, 503
        ("couldn't list files: <html><h1>504 Gateway Time-out</h1></html>", TransientError),
        ("googleapi: Error 403: User Rate Limit Exceeded, userRateLimitExceeded", RateLimitError),
        ("googleapi: Error 403: Daily Limit Exceeded, dailyLimitExceeded", RateLimitError),
        ("googleapi: Error 403: Quota exceeded for quota metric 'Queries' and limit 'Queries per day'", RateLimitError),
        ("too_many_requests/", RateLimitError),
        ("HTTP error 429 (429 Too Many Requests) returned body", RateLimitError),
        (S3.format("GetObject", 500, "InternalError"), TransientError),
        ('Propfind "http://h/x": dial tcp 127.0.0.1:1: connect: connection refused', TransientError),
        ("StatusCode: 0, request send failed, Get: dial tcp: lookup h on 1.1.1.1:53: no such host", TransientError),
        ("read tcp 1.2.3.4:5->6.7.8.9:443: read: connection reset by peer", TransientError),
        ("unexpected EOF", TransientError),
        ("502 Bad Gateway", TransientError),
        ("copy mkParentDir failed: Locked: 423 Locked", InUseError),
        ("StatusCode: 412, deserialization failed, read: use of closed network connection", DestinationExistsError),
        ("net/http: TLS handshake timeout", TransientError),
        ('read metadata failed: Propfind "http://h/x": net/http: timeout awaiting response headers', TransientError),
        ("context deadline exceeded (Client.Timeout exceeded while awaiting headers)", TransientError),
        ("write /srv/x.partial: no space left on device", QuotaError),
        ("googleapi: Error 403: The user has exceeded their Drive storage quota, storageQuotaExceeded", QuotaError),
        ("507 Insufficient Storage", QuotaError),
        (S3.format("ListObjectsV2", 403, "SignatureDoesNotMatch"), AuthError),
        (S3.format("ListObjectsV2", 403, "InvalidAccessKeyId"), AuthError),
        (S3.format("HeadObject", 403, "RequestTimeTooSkewed"), AuthError),
        (
            "couldn't connect SSH: ssh: handshake failed: ssh: unable to authenticate, attempted methods [none password]",
            AuthError,
        ),
        ('couldn\'t fetch token: Post "https://h/token": dial tcp: lookup h: no such host', TransientError),
        ("couldn't fetch token: oauth2: cannot fetch token: 503 Service Unavailable", TransientError),
        ("couldn't fetch token: oauth2: cannot fetch token: 400 Bad Request", AuthError),
        ('couldn\'t fetch token: invalid_grant: maybe token expired? - try refreshing with "rclone config reconnect"', AuthError),
        ("530 Login incorrect.", AuthError),
        ("couldn't list files: Unauthorized: 401 Unauthorized", AuthError),
        ("no_permission/...", AuthError),
        ("googleapi: Error 403: Request had insufficient authentication scopes., insufficientPermissions", AuthError),
        (S3.format("PutObject", 403, "AccessDenied"), AccessDeniedError),
        ("open /srv/x: permission denied", AccessDeniedError),
        ("lstat /srv/nnn: file name too long", PermanentError),
        (S3.format("CopyObject", 400, "KeyTooLongError"), PermanentError),
        ("is a directory not a file", PermanentError),
        ("hash unsupported: hash type not supported", UnsupportedError),
        ("S3 bucket b doesn't support about", UnsupportedError),
        ("object not found", NotFoundError),
        (S3.format("ListObjectsV2", 404, "NoSuchBucket"), NotFoundError),
        ("open /srv/x: no such file or directory", NotFoundError),
        ('501 "No such directory."', NotFoundError),
        ("to/conflict/file/", DestinationExistsError),
        (S3.format("PutObject", 412, "PreconditionFailed"), DestinationExistsError),
        ("corrupted on transfer: md5 hashes differ src(Local) 'a' vs dst(S3) 'b'", CorruptTransferError),
        ("corrupted on transfer: sizes differ src 10 vs dst 5", CorruptTransferError),
        ('didn\'t find section in config file ("nope")', UsageError),
        ("something never heard of", PermanentError),
    ],
)
def test_texts(text: str, kind: type[OrchestratorError]) -> None:
    assert type(classify(text)) is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("failed to authenticate decrypted block - bad password?", NotWithThisKeyError),
        ("not an encrypted file - bad magic string", NotWithThisKeyError),
        ("remove /srv/a: directory not empty", NotEmptyError),
        ("stat /srv/a.mp3/b: not a directory", BelowFileError),
    ],
)
def test_secrets_that_are_words_of_the_message_do_not_change_the_class(
    text: str, kind: type[OrchestratorError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_secrets, "_secrets", set())
    monkeypatch.setattr(known_secrets, "_pattern", None)
    for word in ("password", "magic", "empty", "directory"):
        known_secrets.hide(word)
    error = classify(text)
    assert type(error) is kind
    assert "***" in error.message


def test_status_404_is_not_found_whatever_the_text() -> None:
    assert type(classify("gone fishing", status=404)) is NotFoundError


@pytest.mark.parametrize(
    "name", ["429 Too Many Requests.mp3", "connection refused.mp3", "Album 503/(429) SlowDown: EOF.mp3", "d"]
)
def test_names_of_songs_do_not_change_the_class(name: str) -> None:
    assert type(classify(f"open /srv/{name}: permission denied", path=name)) is AccessDeniedError
    assert type(classify("is a file not a directory", path="/srv/file")) is UsageError
    assert type(classify(f"stat /srv/{name}: no such file or directory", path=name)) is NotFoundError


def test_the_stated_delay_is_kept() -> None:
    error = classify("429 Too Many Requests: Retry-After: 7")
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 7
    assert retry_after("too many requests: try again in 1500ms") == 1.5
    assert retry_after("too_many_requests/...: trying again in 3s") == 3
    assert retry_after("no idea") is None


@pytest.mark.parametrize("text", ["", "error listing: ", "error in ListJSON: "])
def test_an_error_without_a_reason_may_pass(text: str) -> None:
    """Such as a 503 of Dropbox's with an empty body."""
    error = classify(text)
    assert (type(error), error.message) == (TransientError, "rclone gave no reason")


@pytest.mark.parametrize("name", ["Band/Wait 30 Minutes.mp3", "Try Again in 900 s/1.mp3", "Retry-After 5m.mp3"])
def test_names_of_songs_set_no_delay(name: str) -> None:
    error = classify(f'Put "http://host/{name}": 429 Too Many Requests', path=name)
    assert isinstance(error, RateLimitError)
    assert error.retry_after is None
    slower = classify(f'Put "http://host/{name}": 429 Too Many Requests: Retry-After: 7', names=[name])
    assert isinstance(slower, RateLimitError)
    assert slower.retry_after == 7


def test_the_message_is_one_line_and_names_the_file() -> None:
    error = classify("bad\nthing\x1b[31m", path="a/b.mp3")
    assert error.message == "a/b.mp3: bad thing [31m"
    assert error.path == "a/b.mp3"
    assert "remotes" in classify('didn\'t find section in config file ("nope")').message


@pytest.mark.parametrize(
    "text",
    [
        ":s3,access_key_id=SECRET1,secret_access_key=SECRET2:bucket: object not found",
        ':webdav,pass="SECRET1,SECRET2",url=x:dir',
        "Get https://h/b/k?X-Amz-Credential=SECRET1%2F2026&X-Amz-Signature=SECRET2&x=1: refused",
        "https://acc.blob.core.windows.net/c/b?sv=2020&sig=SECRET1&se=2 SECRET?",
        "ftp://user:SECRET1@host/dir refused",
        "Authorization: Basic SECRET1==",
        "header Authorization: [Bearer SECRET1.SECRET2]",
        '{"access_token":"SECRET1","refresh_token":"SECRET2"}',
        "password=SECRET1 token=SECRET2",
        "could not parse line: secret_access_key SECRET1 SECRET2",
    ],
)
def test_secrets_are_removed(text: str) -> None:
    assert "SECRET1" not in redact(text)
    assert "SECRET2" not in redact(text)


def test_other_text_is_kept() -> None:
    text = 'Get "http://h/lib?max-keys=1000&prefix=": Artist, the key to it.mp3'
    assert redact(text) == text
    assert one_line("a\u202eb\nc") == "a b c"


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM])
def test_a_refusal_of_this_disk_is_one_of_rights_as_on_remotes(code: int) -> None:
    assert type(local_error(OSError(code, "refused"), "a.mp3")) is AccessDeniedError


def test_an_encrypted_upload_over_plain_http_names_the_remedy() -> None:
    reason = "failed to compute payload hash: failed to seek body to start, request stream is not seekable"
    assert "use_unsigned_payload: 'true'" in classify(f"operation error S3: PutObject, {reason}").message
