"""A timeline of steps short enough to read: what repeats in a row is one entry. Pure."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from microloop_cli.view.dollars import total
from microloop_cli.view.model import StepView

LONGEST_BLOCK = 4
LEAST_REPEATS = 3
ENTRIES_SHOWN = 400


class Entry(msgspec.Struct, frozen=True):
    """`block` is what ran, `times` how often in a row; `last` the number of the last step of it all.

    cost_usd: of all of it, None when nothing of it has a price.
    """

    block: tuple[StepView, ...]
    times: int
    last: int
    cost_usd: Decimal | None = None

    @property
    def first(self) -> int:
        return self.block[0].n


class Timeline(msgspec.Struct, frozen=True):
    """`head`, then `omitted` steps that are not shown, then `tail`."""

    head: tuple[Entry, ...]
    omitted: int = 0
    tail: tuple[Entry, ...] = ()


def timeline(steps: tuple[StepView, ...], show_all: bool = False) -> Timeline:
    """All steps, one an entry, when `show_all`; else collapsed, the middle of a very long one left out."""
    if show_all:
        return Timeline(tuple(Entry((step,), 1, step.n, step.cost_usd) for step in steps))
    entries = collapse(steps)
    if len(entries) <= ENTRIES_SHOWN:
        return Timeline(entries)
    half = ENTRIES_SHOWN // 2
    head, middle, tail = entries[:half], entries[half:-half], entries[-half:]
    return Timeline(head, sum(len(entry.block) * entry.times for entry in middle), tail)


def collapse(steps: tuple[StepView, ...]) -> tuple[Entry, ...]:
    """Blocks of up to LONGEST_BLOCK steps that repeat at least LEAST_REPEATS times become one entry each."""
    keys = [_sameness(step) for step in steps]
    entries: list[Entry] = []
    at = 0
    while at < len(steps):
        size, times = _best_block(keys, at)
        end = at + size * times
        cost = total(step.cost_usd for step in steps[at:end])
        entries.append(Entry(steps[at : at + size], times, steps[end - 1].n, cost))
        at = end
    return tuple(entries)


def _best_block(keys: list[tuple[object, ...]], at: int) -> tuple[int, int]:
    """(size, times) of the shortest block at `at` that repeats often enough; (1, 1) when none does."""
    for size in range(1, LONGEST_BLOCK + 1):
        end = at + size
        while end < len(keys) and keys[end] == keys[end - size]:
            end += 1
        times = (end - at) // size
        if times >= LEAST_REPEATS:
            return size, times
    return 1, 1


def _sameness(step: StepView) -> tuple[object, ...]:
    came_to = (step.verdict, step.exit_code, step.signal, step.output_digest, step.failed)
    return (step.kind, step.command, step.cwd, step.asked, *came_to)
