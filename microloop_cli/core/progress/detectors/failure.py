"""One error again and again, whatever was tried in between."""

from __future__ import annotations

from microloop_cli.core.progress.detectors.failing_tests import fails_as_a_whole
from microloop_cli.core.progress.detectors.sign import (
    Sign,
    error_words,
    has_telling_error,
    listed,
    ran,
    shown,
    steps_of,
)
from microloop_cli.core.progress.history import History, Record

TROUBLE_PATIENCE = 2


def judge(history: History, now: Record) -> Sign | None:
    """Failures with an equal error signature, back to a run of the same command that went otherwise."""
    if not _counts(now) or now.brings_news:
        return None
    runs = [now]
    others = 0
    for record in reversed(history.recent):
        if record.error == now.error and _counts(record):
            runs.append(record)
            if record.brings_news:
                break  # what it told was new: here the trouble began
        elif record.action == now.action:
            break
        elif record.failed:
            others += 1
    if len(runs) < 2 or others > len(runs):
        return None
    runs.reverse()
    seen = ran(runs)
    steps = steps_of(seen)
    what = error_words(now)
    return Sign(
        detector="failure",
        key=f"failure:{runs[0].step}:{what}",
        count=len(runs),
        steps=steps,
        evidence=f'{len(seen)} attempts have failed with the same error, "{shown(what)}" ({listed(steps)})',
        advice="What was changed in between does not touch its cause; look at that first.",
        confidence=min(0.95, 0.5 + 0.08 * len(runs)),
        patience=TROUBLE_PATIENCE if now.trouble else 0,
    )


def _counts(record: Record) -> bool:
    """Failed with an error that has a name; tests are judged by their outcome."""
    if record.elsewhere or not record.failed or not has_telling_error(record):
        return False
    return not fails_as_a_whole(record)
