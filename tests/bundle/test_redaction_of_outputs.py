"""Kept outputs hold no secret, and no piece of one where they were cut."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.bundle.paths import create_run_dir
from microloop_cli.bundle.redaction import Redactor
from microloop_cli.bundle.redaction_outputs import redacted_output
from microloop_cli.bundle.verify import verify
from microloop_cli.bundle.writer import BundleWriter, KeptOutput
from microloop_cli.core.events import ExecStarted, StepEnded, Stream
from microloop_cli.guard.facts import KeptStream
from microloop_cli.run.redacting import FactRedactor, OutputRedactor
from tests.bundle.planted import made, secrets
from tests.bundle.sample import RUN_ID, started

TOKENS = [
    "github-classic",
    "gitlab",
    "anthropic",
    "jwt",
    "sendgrid",
    "npm",
    "aws-id",
    "openai",
    "google",
    "discord",
]
VALUE = made("value", 30)
REDACTOR = Redactor({"MY_KEY": VALUE})


@given(st.integers(1, 200))
def test_a_secret_that_lies_in_head_and_tail_is_seen(cut: int) -> None:
    text = b"one " + secrets()["gitlab"][0].encode() + b" two " + VALUE.encode() + b" three"
    assert redacted_output(REDACTOR, text[:cut], text[cut:], is_whole=True) == (
        b"one <redacted:gitlab> two <MY_KEY> three",
        b"",
    )


@pytest.mark.parametrize("kind", TOKENS)
def test_the_beginning_of_a_secret_at_the_cut_is_taken_out(kind: str) -> None:
    token = secrets()[kind][0]
    for size in range(12, len(token)):
        head, _ = redacted_output(REDACTOR, b"text " + token[:size].encode(), b"tail", is_whole=False)
        assert token[4:size].encode() not in head, size


def test_the_rest_of_a_secret_at_the_cut_is_taken_out() -> None:
    for rest in (secrets()["npm"][0][9:], VALUE[11:], VALUE[-5:]):
        _, tail = redacted_output(REDACTOR, b"head", rest.encode() + b"\nmore", is_whole=False)
        assert tail == b"<redacted:cut>\nmore"
    key = secrets()["private-key-rsa"][0].encode()
    assert (
        redacted_output(REDACTOR, b"head\n", key[70:] + b"\nmore", is_whole=False)[1]
        == b"<redacted:cut>\nmore"
    )


def test_what_was_cut_in_plain_words_stays() -> None:
    head, tail = b"all is well and goes o", b"n as before 12345\nFAILED tests/test_a.py::test_b"
    assert redacted_output(REDACTOR, head, tail, is_whole=False) == (head, tail)


def test_sizes_and_digest_are_those_of_what_is_left() -> None:
    text = f"key {VALUE} end".encode()
    stream = Stream(bytes=len(text), blake2b="0" * 64, head_bytes=9, tail_bytes=len(text) - 9)
    kept = OutputRedactor(REDACTOR)(KeptStream(head=text[:9], tail=text[9:], fact=stream))
    left = b"key <MY_KEY> end"
    assert (kept.head, kept.tail, kept.fact.redacted, kept.fact.bytes) == (left, b"", True, len(text))
    assert (kept.fact.head_bytes, kept.fact.tail_bytes) == (len(left), 0)
    assert kept.fact.blake2b == blake2b(left, digest_size=32).hexdigest()


def test_a_redacted_output_is_verified_as_it_was_stored(tmp_path: Path) -> None:
    text = f"key {VALUE} end".encode()
    stream = Stream(bytes=len(text), blake2b="0" * 64, head_bytes=len(text), tail_bytes=0)
    left = OutputRedactor(REDACTOR)(KeptStream(head=text, tail=b"", fact=stream))
    run = create_run_dir(tmp_path, RUN_ID)
    with BundleWriter(run, REDACTOR) as writer:
        writer.append(0.0, started())
        writer.append(0.1, StepEnded(step=1, exit_code=0, stdout=left.fact))
        writer.write_step_output(1, stdout=KeptOutput(left.fact, left.head, left.tail))
        writer.write_json("summary.json", {"said": [VALUE], VALUE: 1})
        writer.finish()
    assert verify(run).ok
    assert VALUE not in (run / "summary.json").read_text()
    (run / "steps" / "0001" / "stdout").write_bytes(left.head.replace(b"key", b"yek"))
    assert "wrong output" in {problem.what for problem in verify(run).problems}


def test_arguments_that_were_cut_do_not_end_in_a_secret() -> None:
    fact = ExecStarted(
        exec_id=1, pid=1, ppid=1, lineage="agent_child", argv=("x", f"long text {VALUE[:9]}"), argv_bytes=9,
        argv_truncated=True, exe="/bin/x", cwd="/", fds=("null", "pipe", "pipe"), awaiting=True,
    )  # fmt: skip
    redacted = FactRedactor(REDACTOR)(fact)
    assert isinstance(redacted, ExecStarted)
    assert redacted.argv == ("x", "long text <redacted:cut>")


def test_an_output_without_a_secret_is_left_alone() -> None:
    stream = Stream(bytes=2, blake2b="0" * 64, head_bytes=2, tail_bytes=0)
    kept = KeptStream(head=b"ok", tail=b"", fact=stream)
    assert OutputRedactor(REDACTOR)(kept) is kept
