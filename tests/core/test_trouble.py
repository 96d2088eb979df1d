"""Trouble with network, rate limits and disk, and what edit tools refuse, are known by their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.progress.refusals import edit_error
from microloop_cli.core.progress.trouble import trouble

TROUBLES = [
    ("fatal: unable to access 'https://h/r/': Could not resolve host: h", "network"),
    ("curl: (7) Failed to connect to localhost port 1: Connection refused", "network"),
    ("npm error code ECONNRESET\nnpm error network aborted", "network"),
    ("getaddrinfo EAI_AGAIN h", "network"),
    ("net/http: TLS handshake timeout", "network"),
    ("Temporary failure in name resolution", "network"),
    ("HTTPSConnectionPool(host='h', port=443): Read timed out.", "network"),
    ("Error: connect ETIMEDOUT 1.2.3.4:443", "network"),
    ("The requested URL returned error: 503", "network"),
    ("502 Bad Gateway", "network"),
    ("ProxyError('Cannot connect to proxy.')", "network"),
    ("HTTP 429", "rate_limit"),
    ("toomanyrequests: You have reached your pull rate limit", "rate_limit"),
    ("429 Too Many Requests", "rate_limit"),
    ("API rate limit exceeded for 1.2.3.4", "rate_limit"),
    ("You exceeded your current quota", "rate_limit"),
    ("cp: error writing 'x': No space left on device", "disk"),
    ("Disk quota exceeded", "disk"),
    ("ENOSPC: no space left on device, write", "disk"),
    ("touch: cannot touch 'x': Read-only file system", "disk"),
]


@pytest.mark.parametrize(("text", "kind"), TROUBLES)
def test_trouble_of_the_surroundings_is_known(text: str, kind: str) -> None:
    assert trouble("words before\n" + text + "\nwords behind\n") == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AssertionError: 503 != 504",
        "line 429",
        "generate 50 items",
        "FAILED test_connect_timeout_setting",
        "error: 5023",
    ],
)
def test_other_failures_are_no_trouble(text: str) -> None:
    assert trouble(text) is None


REFUSALS = [
    ("not found", "No replacement was performed, old_str `{}` did not appear verbatim in {}.py."),
    ("not unique", "No replacement was performed. Multiple occurrences of old_str `{}` in lines [{}]."),
    ("not found", "String to replace not found in file.\nString: {}{}"),
    ("not unique", "Found {} matches of the string to replace, but replace_all is false. {}"),
    ("not found", "Could not find the exact text in {}. The old text must match exactly {}"),
    ("not found", "Failed to edit, could not find the string to replace. {}{}"),
    ("not unique", "Failed to edit, expected 1 occurrence but found {}{}"),
    ("syntax", "Your proposed edit has introduced new syntax error(s).\nERRORS:\n- E999 {}{}"),
    ("patch", "error: patch failed: {}.py:{}\nerror: patch does not apply"),
    ("patch", "patching file {}\nHunk #1 FAILED at {}."),
    ("malformed patch", "patch: **** malformed patch at line {}: {}"),
    ("malformed patch", "error: corrupt patch at line {}{}"),
    ("unchanged", "No changes to make: old_string and new_string are exactly the same. {}{}"),
    ("not read", "File has not been read yet. Read it first before writing to it. {}{}"),
    ("expression", "sed: -e expression #1, char {}: unterminated `s' command {}"),
]


@pytest.mark.parametrize(("key", "text"), REFUSALS)
def test_a_refused_edit_has_one_key_whatever_the_details(key: str, text: str) -> None:
    assert edit_error(text.format("12", "a = 1")) == edit_error(text.format("7", "b()")) == key


@pytest.mark.parametrize(
    "text",
    ["", "The file a.py has been edited.", "Successfully replaced text in a.ts.", "patching file a.py"],
)
def test_an_accepted_edit_has_none(text: str) -> None:
    assert edit_error(text) is None


@given(st.text(max_size=300))
def test_any_text_can_be_asked_about(text: str) -> None:
    trouble(text)
    edit_error(text)
