"""Verified progress: a test run with fewer failures than any before it, or an outcome that edits changed."""

from __future__ import annotations

from microloop_cli.core.progress.history import History, Record


def is_verified_progress(history: History, now: Record) -> bool:
    """Against earlier runs of the same command on other states of the files: fewer tests fail than ever, or
    it comes to an outcome it never had. A new error after an edit is progress, too: the old one is gone."""
    if now.outcome is not None:
        return _is_better_run(history, now)
    last = history.last_of(now.action)
    if last is None or last.epoch == now.epoch or last.error is None:
        return False
    earlier = [record for record in history.recent if record.action == now.action]
    return all(record.error != now.error for record in earlier)


def _is_better_run(history: History, now: Record) -> bool:
    earlier = [run for run in history.tests if run.action == now.action and run.epoch != now.epoch]
    outcome = now.outcome
    if outcome is None or not earlier:
        return False
    known = [run.outcome for run in earlier if run.outcome is not None]
    if all(outcome.failed_count < other.failed_count for other in known):
        return outcome.status in ("passed", "failed")
    return all((outcome.status, outcome.failing_set) != (other.status, other.failing_set) for other in known)
