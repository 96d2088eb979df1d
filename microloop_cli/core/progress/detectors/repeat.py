"""One command, equal results, no file changed in between; polling is the same with more patience."""

from __future__ import annotations

from microloop_cli.core.progress.detectors.sign import (
    DetectorName,
    Sign,
    has_telling_error,
    listed,
    ran,
    shown,
    steps_of,
)
from microloop_cli.core.progress.history import History, Record

TROUBLE_PATIENCE = 2
# What it writes may be the progress: a program that works through a list says little.
WRITER_PATIENCE = 2
# A reply without a command is often put right at the next try.
MESSAGE_PATIENCE = 1
# A run that is only watched may repeat for ever.
MOST_COUNTED = 24


def judge(history: History, now: Record) -> Sign | None:
    """Equal results of the same action in the same state. Repeats that lie apart count only when most of
    the steps between them brought nothing new either: an explorer reads a file twice."""
    if now.result is None or history.last_of(now.action) is None:
        return None
    runs = _equal_runs(history, now)
    while len(runs) > 1 and not _between_is_stale(history, runs[0], now):
        runs = runs[1:]  # news behind an early run: what came after it may be going in circles all the same
    if len(runs) < 2:
        return None
    seen = ran(runs)
    steps = steps_of(seen)
    detector: DetectorName = "poll" if now.polls else "repeat"
    writes = any(run.epoch != now.epoch for run in runs)
    unchanged = "no file but those it writes itself" if writes else "no file in the workspace"
    return Sign(
        detector=detector,
        key=f"{detector}:{runs[0].epoch}:{now.action}:{now.result}",
        count=len(runs),
        steps=steps,
        evidence=f"`{shown(now.command)}` has given the same result {len(seen)} times ({listed(steps)}) "
        f"and {unchanged} has changed in between",
        advice=_advice(now),
        confidence=min(0.99, 0.7 + 0.08 * len(runs)) - (0.2 if writes else 0),
        patience=_patience(now, writes),
    )


def _equal_runs(history: History, now: Record) -> list[Record]:
    """This run and those before it with an equal result, in the same state of the files, or in one that only
    runs of this very command have changed since."""
    runs = [now]
    after, by_itself = now, True
    for record in reversed(history.recent):
        by_others = record.changes_files and record.action != now.action
        by_itself = by_itself and record.epoch_after == after.epoch and not by_others
        if (record.epoch == now.epoch or by_itself) and _is_equal(record, now):
            runs.append(record)
            if len(runs) == MOST_COUNTED:
                break
        after = record
    return runs[::-1]


def _is_equal(record: Record, now: Record) -> bool:
    if record.action != now.action:
        return False
    return record.result == now.result or (
        now.failed and has_telling_error(now) and record.error == now.error
    )


def _between_is_stale(history: History, first: Record, now: Record) -> bool:
    between = [r for r in history.recent if r.step > first.step and r.action != now.action]
    news = sum(1 for record in between if record.brings_news)
    return 2 * news < len(between) or not between


def _patience(now: Record, writes: bool) -> int:
    if now.trouble:
        return TROUBLE_PATIENCE
    if writes:
        return WRITER_PATIENCE
    return MESSAGE_PATIENCE if now.kind == "message" else 0


def _advice(now: Record) -> str:
    if now.polls:
        return "Waiting longer seems not to help: find out whether what you wait for is still running at all."
    if now.trouble:
        return "The failure lies outside the workspace; go on with work that does not need it, or report it."
    return "Running it again will give the same; change something first, or try another way."
