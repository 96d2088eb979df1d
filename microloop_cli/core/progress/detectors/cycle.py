"""Two to four commands in turn, again and again, each with the result it had before."""

from __future__ import annotations

from microloop_cli.core.progress.detectors.sign import Sign, listed, ran, shown, steps_of
from microloop_cli.core.progress.history import History, Record

PERIODS = (2, 3, 4)
FEWEST_ROUNDS = 2


def judge(history: History, now: Record) -> Sign | None:
    """The shortest period whose rounds are equal in action and result; counted in whole rounds."""
    periods = [period for period in PERIODS if _may_repeat(history.recent, now, period)]
    if now.result is None or not periods:
        return None
    steps = (*history.recent, now)
    for period in periods:
        if _is_one_command(steps[-period:]):
            continue
        rounds = _equal_tail(steps, period) // period
        if rounds >= FEWEST_ROUNDS:
            return _sign(steps[-rounds * period :], period, rounds)
    return None


def _may_repeat(recent: tuple[Record, ...], now: Record, period: int) -> bool:
    """Most steps do something else than the ones before, and need no closer look."""
    return len(recent) >= period and recent[-period].action == now.action


def _equal_tail(steps: tuple[Record, ...], period: int) -> int:
    """How many of the last steps are equal to the one a period before, and the first round; 0 for none."""
    length = 0
    for index in range(len(steps) - 1, period - 1, -1):
        if not _is_equal(steps[index], steps[index - period]) or _was_edited(steps[index - 1], steps[index]):
            break
        length += 1
    return length + period if length else 0


def _is_equal(one: Record, other: Record) -> bool:
    return one.action == other.action and one.result == other.result and one.result is not None


def _was_edited(before: Record, after: Record) -> bool:
    """Files changed between two steps: by the agent itself, so the round is not only these commands."""
    return before.epoch_after != after.epoch


def _is_one_command(steps: tuple[Record, ...]) -> bool:
    return len({record.action for record in steps}) == 1


def _sign(steps: tuple[Record, ...], period: int, rounds: int) -> Sign:
    last = steps[-period:]
    names = ", ".join(f"`{shown(record.command)[:80]}`" for record in last)
    keys = sorted(record.action for record in last)
    seen = steps_of(ran(steps))
    done = len(ran(steps)) // period
    return Sign(
        detector="cycle",
        key="cycle:" + "\0".join(keys),
        count=rounds,
        steps=seen,
        evidence=f"the same {period} commands ({names}) have been run {done} times in turn, each with the "
        f"same result as before ({listed(seen)})",
        advice="Another round will show the same; use what they have shown, or look somewhere else.",
        confidence=min(0.99, 0.7 + 0.08 * rounds),
        patience=0,
    )
