"""Secrets that were read are hidden in every form, and ordinary words are not."""

from __future__ import annotations

import base64
import html
import json
import subprocess
import time
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from orchestrator.config.masking import is_secret
from orchestrator.rclone import known_secrets
from orchestrator.rclone.known_secrets import hide, hide_options
from orchestrator.rclone.redact import redact

SECRET = 'Zoë&<"Sons">/+=%\\ key'


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_secrets, "_secrets", set())
    monkeypatch.setattr(known_secrets, "_pattern", None)


def go_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower().replace("zo", "Zo").replace("sons", "Sons"),
        quote(SECRET),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
        json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
        go_json(SECRET),
        html.escape(SECRET),
        *(
            base64.b64encode(f"{user}:{SECRET}{after}".encode()).decode()
            for user in ("", "a", "ab", "abc")
            for after in ("", "x")
        ),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_form_is_hidden(form: str) -> None:
    hide(SECRET)
    shown = redact(f"the server says: [{form}]: denied")
    assert shown.startswith("the server says: [")
    assert shown.endswith("]: denied")
    assert "***" in shown
    assert form[4:12] not in shown


def test_a_short_secret_is_hidden_as_a_word_only() -> None:
    hide("music")
    hide("abc")
    assert redact("music: musical:music/abc") == "***: musical:***/abc"


def test_what_is_secret_in_json_and_pem_is_hidden() -> None:
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
    hide(json.dumps({"client_email": "me@example.org", "private_key": f"-----BEGIN KEY-----\n{line}\n-----END KEY-----\n"}))
    hide(json.dumps({"access_token": "the-access-token", "expiry": "2026-11-30"}))
    assert redact(f"{line} me@example.org the-access-token 2026-11-30") == "*** me@example.org *** 2026-11-30"


def test_only_secret_options_are_hidden() -> None:
    hide_options(
        {"access_key_id": "AKIAIDENTITY", "secret_access_key": "the-secret-key", "region": "eu-west-1", "pass_bad_blocks": "true"}
    )
    assert redact("AKIAIDENTITY the-secret-key eu-west-1 true") == "AKIAIDENTITY *** eu-west-1 true"


def test_what_rclone_calls_a_password_is_secret_and_its_switches_are_not(rclone_binary: Path) -> None:
    described = json.loads(subprocess.run([rclone_binary, "config", "providers"], capture_output=True, check=True).stdout)
    options = [option for one in described for option in one["Options"]]
    assert [option["Name"] for option in options if option["IsPassword"] and not is_secret(option["Name"])] == []
    known = {option["Name"] for option in options if option["IsPassword"] or option["Sensitive"]}
    missed_by_rclone = {"ibm_api_key", "sse_customer_key", "token", "web_token"}
    assert {option["Name"] for option in options if is_secret(option["Name"])} <= known | missed_by_rclone


def test_a_long_text_takes_no_time() -> None:
    for number in range(50):
        hide(f"the-secret-number-{number}")
    began = time.monotonic()
    redact("QUJD" * 16_384)
    assert time.monotonic() - began < 2
