"""What a detector says: a pattern in the last steps that is no progress, how strong, and its evidence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

from microloop_cli.core.progress.history import Record

SHOWN_COMMAND_CHARS = 200
SHOWN_STEPS = 8

DetectorName = Literal[
    "repeat", "poll", "cycle", "tests", "tests_edited", "failure", "edit", "edit_error", "stale", "regress"
]


LADDERS: tuple[DetectorName, ...] = get_args(DetectorName)


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """`count` is in the detector's own unit and is compared with its ladder.

    key: names this very pattern, so that it is nudged once.
    evidence: a sentence on what is equal and what has not changed, with step numbers.
    advice: what may help. confidence: 0 to 1, how surely it is no progress.
    patience: added to the ladder, for patterns that deserve more tries.
    """

    detector: DetectorName
    key: str
    count: int
    steps: tuple[int, ...]
    evidence: str
    advice: str
    confidence: float
    patience: int = 0


def has_telling_error(record: Record) -> bool:
    """An error with a name; of a failure without one only the exit code and the last words are known."""
    return record.error is not None and not record.error.kind.startswith("exit ")


def error_words(record: Record) -> str:
    """The error as `type: message`."""
    error = record.error
    if error is None:
        return ""
    return f"{error.kind}: {error.message}" if error.message else error.kind


def shown(command: str) -> str:
    """The command on one line, shortened."""
    one_line = " ".join(command.split())
    return one_line if len(one_line) <= SHOWN_COMMAND_CHARS else one_line[:SHOWN_COMMAND_CHARS] + "..."


def ran(records: Iterable[Record]) -> list[Record]:
    """Those that were run: what was refused proves nothing."""
    return [record for record in records if not record.refused]


def steps_of(records: Iterable[Record]) -> tuple[int, ...]:
    """Their numbers: the first ones and the last when there are many."""
    steps = tuple(record.step for record in records)
    return steps if len(steps) <= SHOWN_STEPS else (*steps[: SHOWN_STEPS - 1], steps[-1])


def listed(steps: tuple[int, ...]) -> str:
    """`step 4`, `steps 4, 6 and 9`."""
    if len(steps) < 2:
        return f"step {steps[0]}" if steps else "no step"
    return f"steps {', '.join(map(str, steps[:-1]))} and {steps[-1]}"


def tests_named(ids: Iterable[str], count: int) -> str:
    """`2 tests (test_a, test_b)`, the first three by name."""
    some = [name if len(name) <= 80 else name[:80] + "..." for name in list(ids)[:3]]
    more = ", ..." if count > len(some) else ""
    names = f" ({', '.join(some)}{more})" if some else ""
    return f"{count} test{'' if count == 1 else 's'}{names}"
