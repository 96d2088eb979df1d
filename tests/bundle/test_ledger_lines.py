"""One line of the ledger: what is written, what is read back, what is refused."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.bundle.ledger import (
    FIRST_PREV,
    LedgerProblem,
    Unknown,
    check_entry,
    encode_line,
    event_types,
    parse_line,
)
from microloop_cli.bundle.schema import ledger_schema
from microloop_cli.core.events import GuardNotice, Tick, WorkspaceChanged
from microloop_cli.core.fact import Fact
from tests.bundle.sample import complete_bundle, exec_started


def test_a_line_reads_as_the_architecture_says() -> None:
    line, digest = encode_line(1, 0.5, GuardNotice(text='he said "no"'), FIRST_PREV)
    body = b'{"seq":1,"at":0.500000,"type":"guard_notice","data":{"text":"he said \\"no\\""}'
    assert digest == sha256(FIRST_PREV.encode() + body).hexdigest()
    assert line == body + f',"prev":"{FIRST_PREV}","hash":"{digest}"}}\n'.encode()


def test_an_event_without_fields_has_empty_data() -> None:
    assert json.loads(encode_line(1, 0, Tick(), FIRST_PREV)[0])["data"] == {}


@pytest.mark.parametrize(
    "event", [exec_started(7), Tick(), WorkspaceChanged(epoch="e", paths=("a", "b"), count=2)]
)
def test_what_is_read_back_equals_what_was_written(event: Fact) -> None:
    line, digest = encode_line(9, 1.25, event, "a" * 64)
    entry = parse_line(line[:-1])
    assert (entry.seq, entry.at, entry.event, entry.prev, entry.hash) == (9, 1.25, event, "a" * 64, digest)
    assert check_entry(entry, 9, "a" * 64, 1.0) is None


@given(text=st.text(st.characters(codec=None)), at=st.floats(0, 1e8))
def test_any_text_and_any_time_make_a_line_that_checks(text: str, at: float) -> None:
    line, _ = encode_line(1, at, GuardNotice(text=text), FIRST_PREV)
    assert line.count(b"\n") == 1
    assert check_entry(parse_line(line[:-1]), 1, FIRST_PREV, 0.0) is None


def test_an_event_of_a_later_minor_version_is_kept_as_unknown() -> None:
    entry = parse_line(b'{"seq":1,"at":0.0,"type":"model_call","data":{"tokens":5},"prev":"p","hash":"h"}')
    assert entry.event == Unknown("model_call", b'{"tokens":5}')


def test_a_field_of_a_later_minor_version_is_left_out() -> None:
    entry = parse_line(b'{"seq":1,"at":0.0,"type":"tick","data":{"why":"core"},"prev":"p","hash":"h"}')
    assert entry.event == Tick()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"seq":1}',
        b'{"seq":"1","at":0.0,"type":"tick","data":{},"prev":"p","hash":"h"}',
        b'{"seq":1,"at":0.0,"type":"tick","data":[],"prev":"p","hash":"h"}',
        b'{"seq":1,"at":0.0,"type":"guard_notice","data":{"text":5},"prev":"p","hash":"h"}',
        b'{"seq":1,"at":0.0,"type":"guard_notice","data":{},"prev":"p","hash":"h"}',
        b'{"seq":1,"at":0.0,"type":"../x","data":{},"prev":"p","hash":"h"}',
        b'{"seq":1,"at":0.0,"type":"later","data":7,"prev":"p","hash":"h"}',
        b'{"seq":1,"at":0.0,"type":"tick","data":{},"prev":"p","hash":"h","more":1}',
        b'{"seq":1,"at":0.0,"type":"tick","data":' + b"[" * 500_000,
        b'{"seq":1,"at":0.0,"type":"later","data":' + b'{"a":' * 500_000,
    ],
)
def test_what_is_no_line_is_a_problem_and_no_crash(raw: bytes) -> None:
    with pytest.raises(LedgerProblem):
        parse_line(raw)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"seq":5', b'"seq":6'),
        (b'"at":2.0', b'"at":0.5'),
        (b'"at":2.000000', b'"at":2.0'),
        (b"hello", b"jello"),
        (b'"data":{', b'"data": {'),
        (b'{"seq":5', b'{"seq":4,"seq":5'),
        (b'"prev":"a', b'"prev":"b'),
        (b'"prev":', b'"prev": '),
    ],
)
def test_a_line_that_was_changed_does_not_check(old: bytes, new: bytes) -> None:
    line, _ = encode_line(5, 2.0, GuardNotice(text="hello"), "a" * 64)
    assert check_entry(parse_line(line[:-1]), 5, "a" * 64, 1.0) is None
    assert check_entry(parse_line(line[:-1].replace(old, new)), 5, "a" * 64, 1.0) is not None


def rechained(body: bytes) -> bytes:
    """A line whose hash fits its bytes, as a forger would make it."""
    digest = sha256(FIRST_PREV.encode() + body).hexdigest()
    return body + f',"prev":"{FIRST_PREV}","hash":"{digest}"}}'.encode()


def test_a_line_with_a_fitting_hash_must_still_be_written_the_one_way() -> None:
    twice = rechained(b'{"seq":2,"seq":1,"at":0.000000,"type":"tick","data":{}')
    assert check_entry(parse_line(twice), 1, FIRST_PREV, 0.0) is not None


def test_every_line_of_a_run_meets_the_generated_schema(tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(ledger_schema())
    lines = (complete_bundle(tmp_path) / "events.jsonl").read_text().splitlines()
    assert len(lines) == 13
    for line in lines:
        validator.validate(json.loads(line))


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    validator = jsonschema.Draft202012Validator(ledger_schema())
    line: dict[str, Any] = json.loads(encode_line(1, 0, exec_started(1), FIRST_PREV)[0])
    assert validator.is_valid(line)
    assert not validator.is_valid(line | {"type": "tock"})
    assert not validator.is_valid(line | {"hash": "x"})
    del line["data"]["exe"]
    assert not validator.is_valid(line)


def test_the_schema_describes_every_event_type() -> None:
    schema = ledger_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for kind in event_types().values():
        assert schema["$defs"][kind.__name__]["description"]
        assert "type" not in schema["$defs"][kind.__name__]["properties"]
