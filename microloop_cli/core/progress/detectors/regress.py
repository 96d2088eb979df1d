"""The files are back in a state they were in before, again and again: what is done is undone."""

from __future__ import annotations

from microloop_cli.core.progress.detectors.sign import Sign, listed, ran, steps_of
from microloop_cli.core.progress.history import History, Record


def judge(history: History, now: Record) -> Sign | None:
    """Returns to this epoch by a change, counted while the steps between brought hardly anything new."""
    if not now.changes_files or now.elsewhere:
        return None
    arrivals = [r for r in history.recent if r.changes_files and r.epoch_after == now.epoch_after]
    if not arrivals:
        return None
    between = [r for r in history.recent if r.step > arrivals[0].step]
    news = sum(1 for record in between if record.brings_news)
    if 3 * news >= len(between):
        return None
    runs = (*arrivals, now)
    seen = ran(runs)
    steps = steps_of(seen)
    return Sign(
        detector="regress",
        key=f"regress:{now.epoch_after}:{steps[0]}",
        count=len(runs),
        steps=steps,
        evidence=f"the files have come back to the same earlier state {len(seen)} times ({listed(steps)})",
        advice="Keep what worked best and take a way that was not tried yet, instead of going to and fro.",
        confidence=min(0.95, 0.5 + 0.1 * len(runs)),
    )
