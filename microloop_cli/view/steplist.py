"""The timeline of steps as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rich.text import Text

from microloop_cli.view.cells import width_of
from microloop_cli.view.dollars import dollars
from microloop_cli.view.figures import plural, seconds
from microloop_cli.view.lines import heading, line, one_line
from microloop_cli.view.model import RunView, StepView
from microloop_cli.view.stepresult import result_told, went_wrong
from microloop_cli.view.timeline import Entry, timeline

_VERDICTS = {"allowed": ("", ""), "nudged": ("nudged", "yellow"), "refused": ("REFUSED", "red")}
_OWN = "own"
_COMMAND_LEAST = 12
_WIDTH_FOR_TIMES = 70
_COST_WIDTH = 8
_ROOM_FOR_NOTE = 60


def step_list(view: RunView, width: int, show_all: bool) -> Iterator[Text]:
    """One line a step: number, when, how long, result, verdict, dollars when any step has some, command; what
    repeats is one line. `own` is the agent's own business, no tool call of the model's."""
    if not view.steps:
        yield heading("steps", "none")
        return
    yield heading("steps", f"{len(view.steps):,}")
    shown = timeline(view.steps, show_all)
    columns = _Columns(shown.head + shown.tail, width)
    yield columns.titles()
    for entry in shown.head:
        yield from columns.rows(entry)
    if shown.omitted:
        yield line((f"  ... {plural(shown.omitted, 'step')} left out (--all shows them) ...", "dim"))
    for entry in shown.tail:
        yield from columns.rows(entry)


class _Columns:
    """The widths of one timeline's columns; on a narrow terminal the times give way, `at` first."""

    def __init__(self, entries: tuple[Entry, ...], width: int) -> None:
        self._number = max(len("step"), *(len(_numbers(entry)) for entry in entries))
        self._cost = any(entry.cost_usd is not None for entry in entries)
        room = width - (_COST_WIDTH + 2 if self._cost else 0)
        self._took = room >= _WIDTH_FOR_TIMES
        self._at = self._took and (not self._cost or room >= _WIDTH_FOR_TIMES + 10)
        self._width = width

    def titles(self) -> Text:
        times = self._times("at", "took")
        cost = f"{'cost':>{_COST_WIDTH}}  " if self._cost else ""
        return line((f"  {'step':>{self._number}}  {times}{'result':<8}  {'':<7}  {cost}command", "dim"))

    def rows(self, entry: Entry) -> Iterator[Text]:
        if len(entry.block) == 1:
            yield self._row(_numbers(entry), entry.block[0], entry.times, entry.cost_usd)
            return
        cost = "" if entry.cost_usd is None else f" ({dollars(entry.cost_usd)} together)"
        repeated = f"{plural(len(entry.block), 'step')} repeated {entry.times:,} times, same results{cost}:"
        yield line((f"  {_numbers(entry):>{self._number}}  ", "dim"), (repeated, "bold"))
        for step in entry.block:
            yield self._row("", step, 1, None)

    def _row(self, numbers: str, step: StepView, repeats: int, cost_usd: Decimal | None) -> Text:
        times = self._times(seconds(step.started_at_seconds), seconds(step.duration_seconds))
        own = step.asked is False and step.verdict == "allowed"
        mark, style = (_OWN, "dim") if own else _VERDICTS.get(step.verdict, (step.verdict, "yellow"))
        start = f"  {numbers:>{self._number}}  {times}"
        cost = f"{'' if cost_usd is None else dollars(cost_usd):>{_COST_WIDTH}}  " if self._cost else ""
        room = self._width - len(start) - 8 - 2 - max(7, len(mark)) - 2 - len(cost)
        command, note = _fit(step.command, repeats, max(_COMMAND_LEAST, room))
        return line(
            (start, "dim"),
            (f"{result_told(step):<8}  ", "red" if went_wrong(step) else ""),
            (f"{mark:<7}  ", style),
            (cost, ""),
            (command, "dim" if own else ""),
            (note, "bold"),
        )

    def _times(self, at: str, took: str) -> str:
        return (f"{at:>8}  " if self._at else "") + (f"{took:>8}  " if self._took else "")


def _fit(command: str, repeats: int, room: int) -> tuple[str, str]:
    """The command and how often it ran, in `room` cells together."""
    whole = one_line(command, room)
    if repeats == 1:
        return whole, ""
    note = f"  ({repeats:,} times, same result)"
    if width_of(whole) + len(note) > room and room < _ROOM_FOR_NOTE:
        note = f"  ({repeats:,}x)"
    return one_line(command, room - len(note)), note


def _numbers(entry: Entry) -> str:
    return str(entry.first) if entry.first == entry.last else f"{entry.first}-{entry.last}"
