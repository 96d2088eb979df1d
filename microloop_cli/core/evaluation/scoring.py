"""How right a detector was on labelled runs. Pure.

A signal is a finding whose answer is strong enough (`Tally.least`). For each run only two steps count: that
of its first signal, and on a loop that of its first signal at or after `onset_step`.

- a loop is *hit* when it has a signal at or after its onset; the delay is the steps from onset to that signal
- a loop has an *early* signal when its first one comes before the onset; it may be hit as well
- precision = hits / (hits + loops with an early signal + healthy runs with a signal)
- recall = hits / loops
- false_alarm_rate = healthy runs with a signal / healthy runs
- wild_rate = runs without a label that have a signal / runs without a label
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from microloop_cli.core.evaluation.trajectory import Label
from microloop_cli.core.progress.ladder import Answer, Found

RANKS: dict[Answer, int] = {"record": 0, "nudge": 1, "refuse": 2, "stop": 3}
NAMED_RUNS = 500
"""Of misses and of alarms each, so many are named; the others are only counted."""
UNLABELLED = "unlabelled"


class ScoredRun(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run before it is judged. `source` is the file it came from."""

    id: str
    source: str
    steps: int
    kind: str | None = None
    label: Label | None = None
    onset_step: int | None = None


class Miss(msgspec.Struct, frozen=True):
    """A loop without a signal at or after its onset."""

    id: str
    kind: str
    source: str
    onset_step: int
    steps: int


class Alarm(msgspec.Struct, frozen=True):
    """The first signal of a run that should have none there: a healthy one, or a loop before its onset."""

    id: str
    kind: str
    source: str
    step: int
    detector: str
    answer: str
    steps: tuple[int, ...]
    text: str


class KindScore(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of one kind. What their label gives no meaning to is None."""

    label: Label | None
    runs: int
    steps: int
    signals: int
    hits: int | None = None
    early: int | None = None
    recall: float | None = None
    false_alarm_rate: float | None = None
    wild_rate: float | None = None
    median_delay_steps: float | None = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A rate without anything to compute it from is None. Lists name NAMED_RUNS at most."""

    precision: float | None
    recall: float | None
    false_alarm_rate: float | None
    median_delay_steps: float | None
    wild_rate: float | None
    per_kind: dict[str, KindScore]
    steps_per_second: float | None
    answer: Answer
    runs: int
    steps: int
    loops: int
    healthy: int
    unlabelled: int
    hits: int
    early: int
    misses: tuple[Miss, ...]
    false_alarms: tuple[Alarm, ...]
    early_alarms: tuple[Alarm, ...]
    wild_alarms: tuple[Alarm, ...]
    detector_bugs: int


class _Kind:
    """Counters of the runs of one kind and label."""

    def __init__(self, label: Label | None) -> None:
        self.label = label
        self.runs = self.steps = self.signals = self.hits = self.early = 0
        self.delays: Counter[int] = Counter()

    def score(self) -> KindScore:
        loop, healthy, wild = self.label == "loop", self.label == "healthy", self.label is None
        return KindScore(
            label=self.label,
            runs=self.runs,
            steps=self.steps,
            signals=self.signals,
            hits=self.hits if loop else None,
            early=self.early if loop else None,
            recall=_rate(self.hits, self.runs) if loop else None,
            false_alarm_rate=_rate(self.signals, self.runs) if healthy else None,
            wild_rate=_rate(self.signals, self.runs) if wild else None,
            median_delay_steps=median(self.delays),
        )


class Tally:
    """`add` judged runs one by one, `score` at the end. Memory grows with kinds and named runs only."""

    def __init__(self, least: Answer = "record") -> None:
        self.least = least
        self._kinds: dict[tuple[str, Label | None], _Kind] = {}
        self._bugs = 0
        self._misses: list[Miss] = []
        self._alarms: dict[str, list[Alarm]] = {"loop": [], "healthy": [], UNLABELLED: []}

    def add(self, run: ScoredRun, found: Iterable[Found], detector_bugs: int = 0) -> None:
        """Count one run with all that was found in it, in order."""
        self._bugs += detector_bugs
        signals = [item for item in found if RANKS[item.answer] >= RANKS[self.least]]
        kind = self._kinds.setdefault((run.kind or UNLABELLED, run.label), _Kind(run.label))
        kind.runs += 1
        kind.steps += run.steps
        kind.signals += bool(signals)
        if run.label == "loop":
            self._add_loop(kind, run, signals)
        elif signals:
            self._alarm(run, signals[0])

    def score(self, judging_seconds: float | None = None) -> Score:
        """What was added so far. `judging_seconds` is the time all of it took."""
        kinds = self._kinds.values()
        loops, healthy, wild = (_Sums(kinds, label) for label in ("loop", "healthy", None))
        steps = sum(kind.steps for kind in kinds)
        delays: Counter[int] = Counter()
        for kind in kinds:
            delays.update(kind.delays)
        return Score(
            precision=_rate(loops.hits, loops.hits + loops.early + healthy.signals),
            recall=_rate(loops.hits, loops.runs),
            false_alarm_rate=_rate(healthy.signals, healthy.runs),
            median_delay_steps=median(delays),
            wild_rate=_rate(wild.signals, wild.runs),
            per_kind=self._per_kind(),
            steps_per_second=round(steps / judging_seconds, 1) if judging_seconds else None,
            answer=self.least,
            runs=loops.runs + healthy.runs + wild.runs,
            steps=steps,
            loops=loops.runs,
            healthy=healthy.runs,
            unlabelled=wild.runs,
            hits=loops.hits,
            early=loops.early,
            misses=tuple(self._misses),
            false_alarms=tuple(self._alarms["healthy"]),
            early_alarms=tuple(self._alarms["loop"]),
            wild_alarms=tuple(self._alarms[UNLABELLED]),
            detector_bugs=self._bugs,
        )

    def _add_loop(self, kind: _Kind, run: ScoredRun, signals: list[Found]) -> None:
        onset = run.onset_step or 0
        if signals and signals[0].step < onset:
            kind.early += 1
            self._alarm(run, signals[0])
        hit = next((signal for signal in signals if signal.step >= onset), None)
        if hit is not None:
            kind.hits += 1
            kind.delays[hit.step - onset] += 1
        elif len(self._misses) < NAMED_RUNS:
            self._misses.append(Miss(run.id, run.kind or UNLABELLED, run.source, onset, run.steps))

    def _alarm(self, run: ScoredRun, first: Found) -> None:
        named = self._alarms[run.label or UNLABELLED]
        if len(named) < NAMED_RUNS:
            what = (first.step, first.detector, first.answer, first.steps, first.text)
            named.append(Alarm(run.id, run.kind or UNLABELLED, run.source, *what))

    def _per_kind(self) -> dict[str, KindScore]:
        """By kind; one that has runs of several labels stands once for each."""
        names = Counter(name for name, _ in self._kinds)
        return {
            name if names[name] == 1 else f"{name} ({label or UNLABELLED})": kind.score()
            for (name, label), kind in sorted(self._kinds.items(), key=lambda item: str(item[0]))
        }


class _Sums:
    def __init__(self, kinds: Iterable[_Kind], label: str | None) -> None:
        chosen = [kind for kind in kinds if kind.label == label]
        self.runs = sum(kind.runs for kind in chosen)
        self.signals = sum(kind.signals for kind in chosen)
        self.hits = sum(kind.hits for kind in chosen)
        self.early = sum(kind.early for kind in chosen)


def median(counted: Counter[int]) -> float | None:
    """The median of counted numbers, the mean of the middle two when they are even in number."""
    total = sum(counted.values())
    if not total:
        return None
    return (_nth(counted, (total - 1) // 2) + _nth(counted, total // 2)) / 2


def _nth(counted: Counter[int], index: int) -> int:
    for value in sorted(counted):
        index -= counted[value]
        if index < 0:
            return value
    raise IndexError(index)


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
