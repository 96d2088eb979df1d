"""All detectors, the surest first: when several see one pattern, the first one speaks. Add one here."""

from __future__ import annotations

from collections.abc import Callable

from microloop_cli.core.progress.detectors import cycle, edits, failing_tests, failure, regress, repeat, stale
from microloop_cli.core.progress.detectors.sign import Sign
from microloop_cli.core.progress.history import History, Record

Detector = Callable[[History, Record], Sign | None]

DETECTORS: tuple[tuple[str, Detector], ...] = (
    ("repeat", repeat.judge),
    ("tests", failing_tests.judge_unedited),
    ("tests_edited", failing_tests.judge_edited),
    ("edit", edits.judge_same),
    ("edit_error", edits.judge_refused),
    ("cycle", cycle.judge),
    ("failure", failure.judge),
    ("regress", regress.judge),
    ("stale", stale.judge),
)
