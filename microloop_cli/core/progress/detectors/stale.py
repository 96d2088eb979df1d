"""Step after step shows only what was shown before, and no file changes."""

from __future__ import annotations

from microloop_cli.core.progress.detectors.sign import Sign, listed, ran, steps_of
from microloop_cli.core.progress.history import History, Record

# Fewer are a repeat or a cycle, and judged as such.
FEWEST_COMMANDS = 5


def judge(history: History, now: Record) -> Sign | None:
    """Counted in steps without news back to the last one with news or with a change."""
    if not now.is_stale or history.stale_steps + 1 < FEWEST_COMMANDS:
        return None
    stale = [now]
    for record in reversed(history.recent):
        if record.brings_news or record.epoch_after != stale[-1].epoch or record.result is None:
            break
        if record.is_stale:
            stale.append(record)
    if len({record.action for record in stale}) < FEWEST_COMMANDS:
        return None
    stale.reverse()
    seen = ran(stale)
    steps = steps_of(seen)
    return Sign(
        detector="stale",
        key=f"stale:{stale[0].step}",
        count=len(stale),
        steps=steps,
        evidence=f"{len(seen)} steps have shown nothing that was not shown before, and no file has changed "
        f"({listed(steps)})",
        advice="Decide with what is known, or look at something that was not looked at yet.",
        confidence=min(0.9, 0.3 + 0.04 * len(stale)),
    )
