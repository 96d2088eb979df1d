"""A score as lines for people and as a JSON document. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from rich.text import Text

from microloop_cli.core.evaluation.scoring import Alarm, KindScore, Score
from microloop_cli.view.figures import plural
from microloop_cli.view.lines import heading, line, one_line

NAMED_LINES = 20
_LABEL_WIDTH = 14
_ANSWERS = {
    "record": "any finding",
    "nudge": "nudged or more",
    "refuse": "refused or stopped",
    "stop": "stopped",
}


def score_document(score: Score, policy: str) -> dict[str, Any]:
    """The score as JSON data; figures without anything to compute them from are null."""
    document: dict[str, Any] = msgspec.to_builtins(score)
    return {**document, "policy": policy}


def score_lines(score: Score, policy: str, width: int) -> Iterator[Text]:
    """The figures, a line a kind, then the loops that were missed and the alarms that were false, by name."""
    asked = f"policy {one_line(policy, 40)}, a signal is: {_ANSWERS[score.answer]}"
    counted = f"{plural(score.runs, 'run')}, {plural(score.steps, 'step')}"
    yield heading(counted, asked)
    yield from _figures(score)
    yield line(("", ""))
    yield from _kinds(score)
    yield from _missed(score, width)
    for title, alarms, count in (
        ("loops with a signal before their onset", score.early_alarms, score.early),
        ("healthy runs with a signal", score.false_alarms, _signals(score, "healthy")),
        ("runs without a label with a signal", score.wild_alarms, _signals(score, None)),
    ):
        yield from _alarms(title, alarms, count, width)
    if score.detector_bugs:
        yield line(("", ""))
        yield line((f"{plural(score.detector_bugs, 'time')} a detector failed: a bug of microloop's", "red"))


def _figures(score: Score) -> Iterator[Text]:
    healthy = _signals(score, "healthy")
    false = f"{plural(healthy, 'healthy run')} with a signal"
    yield _figure(
        "precision",
        _share(score.precision),
        f"{plural(score.hits, 'hit')}; {false}, {score.early:,} loops too early",
    )
    yield _figure("recall", _share(score.recall), f"{score.hits:,} of {plural(score.loops, 'loop')}")
    yield _figure(
        "false alarms", _percent(score.false_alarm_rate), f"{healthy:,} of {score.healthy:,} healthy"
    )
    delay = "-" if score.median_delay_steps is None else f"{score.median_delay_steps:g}"
    yield _figure("median delay", delay, "steps from onset to signal")
    wild = f"{_signals(score, None):,} of {score.unlabelled:,} without a label"
    yield _figure("wild", _percent(score.wild_rate), wild)
    speed = "-" if score.steps_per_second is None else f"{score.steps_per_second:,.0f}"
    yield _figure("steps/second", speed, "judging and reading outputs")


def _figure(label: str, value: str, note: str) -> Text:
    return line((f"  {label:<{_LABEL_WIDTH}}", "dim"), (f"{value:>8}", "bold"), (f"   {note}", "dim"))


def _kinds(score: Score) -> Iterator[Text]:
    names = [one_line(name, 40) for name in score.per_kind]
    longest = max((len(name) for name in names), default=4)
    yield line((f"  {'kind':<{longest}}  {'runs':>6}  {'signals':>8}  {'rate':>7}  {'delay':>6}", "dim"))
    for name, kind in zip(names, score.per_kind.values(), strict=True):
        delay = "" if kind.median_delay_steps is None else f"{kind.median_delay_steps:g}"
        counted = kind.signals if kind.hits is None else kind.hits
        start = f"  {name:<{longest}}  {kind.runs:>6,}  {counted:>8,}  "
        yield line((start, ""), (f"{_rate_of(kind):>7}", _style_of(kind)), (f"  {delay:>6}", ""))


def _rate_of(kind: KindScore) -> str:
    if kind.label == "loop":
        return _share(kind.recall)
    return _percent(kind.false_alarm_rate if kind.label == "healthy" else kind.wild_rate)


def _style_of(kind: KindScore) -> str:
    """What is not as it should be stands out."""
    missed = kind.label == "loop" and kind.recall != 1
    return "yellow" if missed or (kind.label == "healthy" and kind.signals) else ""


def _missed(score: Score, width: int) -> Iterator[Text]:
    count = score.loops - score.hits
    if count:
        yield line(("", ""))
        yield heading("loops that were missed", _shown(count))
    for miss in score.misses[:NAMED_LINES]:
        start = f"  {one_line(miss.id, 40)}  from step {miss.onset_step} of {miss.steps}  "
        yield line((start, ""), (one_line(miss.source, max(20, width - len(start))), "dim"))


def _alarms(title: str, alarms: Sequence[Alarm], count: int, width: int) -> Iterator[Text]:
    if count:
        yield line(("", ""))
        yield heading(title, _shown(count))
    for alarm in alarms[:NAMED_LINES]:
        start = f"  {one_line(alarm.id, 40)}  step {alarm.step}  {alarm.detector}, {alarm.answer}: "
        yield line((start, ""), (one_line(alarm.text, max(20, width - len(start))), "dim"))


def _shown(count: int) -> str:
    return f"{count:,}" if count <= NAMED_LINES else f"{count:,}, the first {NAMED_LINES} (--json names more)"


def _signals(score: Score, label: str | None) -> int:
    return sum(kind.signals for kind in score.per_kind.values() if kind.label == label)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
