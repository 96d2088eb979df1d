"""Outputs of real runners, in `samples/`."""

from __future__ import annotations

from pathlib import Path

from microloop_cli.core.progress.outcomes.read import read_outcome
from microloop_cli.core.progress.signals import TestOutcome

SAMPLES = Path(__file__).parent / "samples"


def text_of(name: str) -> str:
    return (SAMPLES / f"{name}.txt").read_text(errors="replace")


def outcome_of(name: str, command: str = "") -> TestOutcome:
    """What is read off a sample."""
    outcome = read_outcome(command, text_of(name))
    assert outcome is not None, name
    return outcome


def failures(outcome: TestOutcome) -> dict[str, tuple[str, str]]:
    """Error type and message by test id."""
    return {test.id: (test.error, test.message) for test in outcome.failed}
