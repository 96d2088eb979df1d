"""What went wrong beside the run's own work is told at its moment."""

from __future__ import annotations

from typing import get_args

from microloop_cli.core.actions import AnyDecision, DetectorFailed
from microloop_cli.core.events import AnyFact
from microloop_cli.view import runview


class _Entry:
    def __init__(self, at: float, event: object) -> None:
        self.at = at
        self.event = event


def test_a_detector_that_failed_is_told_as_a_bug_of_microloops() -> None:
    failed = DetectorFailed(detector="cycle", step=7, error="KeyError: 'x'")
    (notice,) = runview.run_view([_Entry(2.0, failed)]).notices
    assert (notice.at_seconds, "a bug in microloop" in notice.text) == (2.0, True)
    assert "step 7 was not judged by cycle: KeyError" in notice.text


def test_every_kind_of_event_is_known_to_the_view() -> None:
    known = set(runview._HANDLERS) | runview._SILENT
    assert {*get_args(AnyFact), *get_args(AnyDecision)} <= known
