"""An old run judged again, as lines for people and as a JSON document. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from rich.text import Text

from microloop_cli.core.evaluation.hindsight import Hindsight, Occurrence, Saved
from microloop_cli.core.replay import Difference
from microloop_cli.view.dollars import amount, dollars
from microloop_cli.view.figures import plural, seconds
from microloop_cli.view.lines import heading, labelled, line, one_line, paragraph

FINDINGS_SHOWN = 40
_ANSWERS = {"record": "recorded", "nudge": "nudged", "refuse": "refused", "stop": "stopped"}
_STYLES = {"nudge": "yellow", "refuse": "red", "stop": "bold red"}


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """One run and what came of judging it. `compared`: it was folded under its own policy, and its verdicts
    were compared with the recorded ones; `difference` is then the first that is not the same."""

    run: str
    source: Literal["bundle", "trajectory"]
    policy: str
    compared: bool
    hindsight: Hindsight
    difference: Difference | None = None


def replay_document(replayed: Replayed) -> dict[str, Any]:
    """The same facts as JSON data."""
    hindsight = replayed.hindsight
    different = replayed.difference is not None
    return {
        "run": replayed.run,
        "source": replayed.source,
        "policy": replayed.policy,
        "verdicts": ("different" if different else "same") if replayed.compared else None,
        "difference": msgspec.to_builtins(replayed.difference),
        "steps": hindsight.steps,
        "findings": [_finding_document(occurrence) for occurrence in hindsight.occurrences],
        "stop": msgspec.to_builtins(hindsight.halt),
        "saved": msgspec.to_builtins(hindsight.saved),
        "detector_bugs": msgspec.to_builtins(hindsight.bugs),
        "unread_steps": hindsight.unread_steps,
    }


def replay_lines(replayed: Replayed, width: int, show_all: bool = False) -> Iterator[Text]:
    """What would have happened when, and what of the run would not have been needed."""
    hindsight = replayed.hindsight
    yield heading(f"run {one_line(replayed.run, 60)}", plural(hindsight.steps, "step"))
    yield from labelled("judged", f"under {replayed.policy}", width)
    if replayed.compared:
        yield from _verdicts(replayed.difference, width)
    yield line(("", ""))
    yield from _findings(hindsight, width, show_all)
    if hindsight.halt is not None:
        yield line(("", ""))
        when = "" if hindsight.halt.at_seconds is None else f", after {seconds(hindsight.halt.at_seconds)}"
        verb = "stopped" if replayed.compared else "would have been stopped"
        yield line((f"{verb} at step {hindsight.halt.step}{when}: {hindsight.halt.outcome}", "bold"))
        yield from paragraph(hindsight.halt.reason, width, "  ")
    if not replayed.compared:
        yield line(("", ""))
        yield from _saved(hindsight.saved, width)
    yield from _caveats(hindsight, width)


def _verdicts(difference: Difference | None, width: int) -> Iterator[Text]:
    if difference is None:
        yield from labelled("verdicts", "the same as recorded, every one", width, "green")
        return
    where = f"NOT the same as recorded, from fact {difference.fact:,} on"
    yield from labelled("verdicts", where, width, "red")
    yield from labelled("recorded", _told(difference.recorded), width)
    yield from labelled("now", _told(difference.replayed), width)


def _told(decisions: tuple[Any, ...]) -> str:
    return "; ".join(msgspec.json.encode(decision).decode() for decision in decisions) or "nothing"


def _findings(hindsight: Hindsight, width: int, show_all: bool) -> Iterator[Text]:
    found = hindsight.occurrences
    yield heading("findings", f"{len(found):,}" if found else "none")
    shown = found if show_all else found[:FINDINGS_SHOWN]
    for occurrence in shown:
        item = occurrence.found
        when = "" if occurrence.at_seconds is None else f"  {seconds(occurrence.at_seconds)}"
        answer = _ANSWERS.get(item.answer, item.answer)
        yield line(
            (f"  step {item.step}{when}  ", "dim"),
            (answer, _STYLES.get(item.answer, "")),
            (f"  {one_line(item.detector, 30)}", "bold"),
        )
        yield from paragraph(item.text.removeprefix("microloop: "), width, "    ")
    if len(shown) < len(found):
        yield line((f"  ... {len(found) - len(shown):,} more (--all shows them) ...", "dim"))


def _saved(saved: Saved, width: int) -> Iterator[Text]:
    yield heading("would have been saved")
    refused = f", {saved.refused_steps:,} of them refused" if saved.refused_steps else ""
    yield from labelled("steps", f"{saved.steps:,}{refused}", width)
    yield from labelled("time", "not known" if saved.seconds is None else seconds(saved.seconds), width)
    cost = "not known" if saved.cost_usd is None else dollars(amount(f"{saved.cost_usd:.9f}"))
    yield from labelled("cost", cost, width)


def _caveats(hindsight: Hindsight, width: int) -> Iterator[Text]:
    if hindsight.unread_steps:
        told = (
            f"the outputs of {plural(hindsight.unread_steps, 'step')} were recorded by a microloop that did "
            "not read them for signs of progress; nothing could be found in them"
        )
        yield from labelled("note", told, width, "yellow")
    for bug in hindsight.bugs[:3]:
        told = f"detector {bug.detector} failed at step {bug.step}, a bug of microloop's: {bug.error}"
        yield from labelled("bug", told, width, "red")


def _finding_document(occurrence: Occurrence) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(occurrence.found)
    return {**found, "at_seconds": occurrence.at_seconds}
