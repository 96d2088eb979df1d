"""The timeline of steps as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from microloop_cli.view.cells import width_of
from microloop_cli.view.figures import exit_status, plural, seconds
from microloop_cli.view.lines import heading, line, one_line
from microloop_cli.view.model import RunView, StepView
from microloop_cli.view.timeline import Entry, timeline

_VERDICTS = {"allowed": ("", ""), "nudged": ("nudged", "yellow"), "refused": ("REFUSED", "red")}
_COMMAND_LEAST = 12
_ROOM_FOR_NOTE = 60


def step_list(view: RunView, width: int, show_all: bool) -> Iterator[Text]:
    """One line a step: number, when, how long, result, verdict, command; what repeats is one line."""
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
    """The widths of one timeline's columns; on a narrow terminal the times give way."""

    def __init__(self, entries: tuple[Entry, ...], width: int) -> None:
        self._number = max(len("step"), *(len(_numbers(entry)) for entry in entries))
        self._times = width >= 70
        self._width = width

    def titles(self) -> Text:
        times = f"{'at':>8}  {'took':>8}  " if self._times else ""
        return line((f"  {'step':>{self._number}}  {times}{'result':<8}  {'':<7}  command", "dim"))

    def rows(self, entry: Entry) -> Iterator[Text]:
        if len(entry.block) == 1:
            yield self._row(_numbers(entry), entry.block[0], entry.times)
            return
        repeated = f"{plural(len(entry.block), 'step')} repeated {entry.times:,} times, same results:"
        yield line((f"  {_numbers(entry):>{self._number}}  ", "dim"), (repeated, "bold"))
        for step in entry.block:
            yield self._row("", step, 1)

    def _row(self, numbers: str, step: StepView, repeats: int) -> Text:
        times = ""
        if self._times:
            times = f"{seconds(step.started_at_seconds):>8}  {seconds(step.duration_seconds):>8}  "
        mark, style = _VERDICTS.get(step.verdict, (step.verdict, "yellow"))
        status = exit_status(step.exit_code, step.signal)
        start = f"  {numbers:>{self._number}}  {times}"
        room = self._width - len(start) - 8 - 2 - max(7, len(mark)) - 2
        command, note = _fit(step.command, repeats, max(_COMMAND_LEAST, room))
        failed = step.exit_code not in (0, None) or step.signal is not None
        return line(
            (start, "dim"),
            (f"{status:<8}  ", "red" if failed else ""),
            (f"{mark:<7}  ", style),
            (command, ""),
            (note, "bold"),
        )


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
