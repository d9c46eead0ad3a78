"""What the headers of a server's answer say and rclone does not pass on: its clock, how it encrypts a file, where a bucket is.

rclone prints them in its log for developers. They are read from a pipe and never stored: requests have secrets in them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import msgspec

from orchestrator.rclone.binary import Binary
from orchestrator.rclone.daemon import READING_FLAGS
from orchestrator.rclone.environment import remote_variables
from orchestrator.rclone.redact import one_line
from orchestrator.rclone.supervisor import Supervised

_REMOTE = "MOLOOK"
_FLAGS = ("--stat", "--no-mimetype", "--no-modtime", "--use-json-log", "--log-level=DEBUG", "--dump=headers")
_SSE = "x-amz-server-side-encryption"
_METHODS = {"AES256": "SSE-S3", "aws:kms": "SSE-KMS", "aws:kms:dsse": "DSSE-KMS"}


class Answer(msgspec.Struct, frozen=True):
    """What a server said about one file; None where it said nothing."""

    date_ns: int | None = None
    """When it answered by its own clock, in nanoseconds since 1970, to the second."""
    encryption: str | None = None
    """How it encrypts the file: "SSE-S3", "SSE-KMS", "DSSE-KMS", "SSE-C" (with a key of ours); "server" if it says only that."""
    encryption_key: str | None = None
    """The id of the KMS key."""
    bucket_region: str | None = None
    """Where the bucket is, as S3 says even where it refuses the request."""


def answer_to_look(binary: Binary, environment: Mapping[str, str], fs: str, path: str) -> Answer:
    """Look at a file of ours (its path gets into the command line), and return what the last answers said.

    Takes a process of its own: 75 ms and one or two requests. Remotes without HTTP say nothing.
    """
    variables = {**environment, **remote_variables(_REMOTE, {"type": "alias", "remote": fs})}
    command = (str(binary.path), "lsjson", *READING_FLAGS, *_FLAGS, f"{_REMOTE}:{path}")
    with Supervised(command, variables, stderr=subprocess.PIPE) as looking:
        log = looking.process.stderr
        assert log is not None  # noqa: S101 because we asked for a pipe
        with log:
            return read_answer(log)


def read_answer(log: Iterable[bytes]) -> Answer:
    """What the answers in rclone's log say."""
    answer = Answer()
    for headers in _answers(log):
        date, method, region = headers.get("date"), headers.get(_SSE), headers.get("x-amz-bucket-region")
        if date is not None and (date_ns := _date_ns(date)) is not None:
            answer = msgspec.structs.replace(answer, date_ns=date_ns)
        if region is not None:
            answer = msgspec.structs.replace(answer, bucket_region=one_line(region))
        if method is not None:
            key = headers.get(f"{_SSE}-aws-kms-key-id")
            answer = msgspec.structs.replace(answer, encryption=_METHODS.get(method, one_line(method)), encryption_key=key)
        elif f"{_SSE}-customer-algorithm" in headers:
            answer = msgspec.structs.replace(answer, encryption="SSE-C")
        elif headers.get("x-ms-server-encrypted") == "true":
            answer = msgspec.structs.replace(answer, encryption="server")
    return answer


class _Line(msgspec.Struct):
    msg: str = ""


def _answers(log: Iterable[bytes]) -> Iterator[dict[str, str]]:
    decode = msgspec.json.Decoder(_Line).decode
    for line in log:
        try:
            message = decode(line).msg
        except msgspec.DecodeError:
            continue
        if message.startswith("HTTP/"):
            pairs = (one.partition(":") for one in message.splitlines()[1:])
            yield {name.strip().lower(): value.strip() for name, _, value in pairs}


def _date_ns(text: str) -> int | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return int(date.replace(tzinfo=date.tzinfo or UTC).timestamp()) * 10**9
