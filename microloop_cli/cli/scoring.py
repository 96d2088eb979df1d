"""Runs judged and scored one by one, with the time it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

from microloop_cli.bundle.corpus import read_corpus
from microloop_cli.bundle.harmless import harmless
from microloop_cli.bundle.reader import open_bundle
from microloop_cli.bundle.recorded import bundles_in, recorded_events
from microloop_cli.cli.judging import settings_for
from microloop_cli.core.evaluation.judge import judge
from microloop_cli.core.evaluation.refold import refold
from microloop_cli.core.evaluation.scoring import Score, ScoredRun, Tally
from microloop_cli.core.evaluation.trajectory import Trajectory
from microloop_cli.core.progress.ladder import Answer
from microloop_cli.run.clock import Clock
from microloop_cli.view.figures import plural

BUNDLES = "bundle"


class Scoring:
    """Judges files and bundles under one policy; only judging is timed, not the reading of files."""

    def __init__(self, policy: str | None, least: Answer, clock: Clock) -> None:
        self._policy = policy
        self._rules = settings_for(policy).progress
        self._tally = Tally(least)
        self._clock = clock
        self._judging_seconds = 0.0
        self._runs = self._steps = 0

    def judged(self, place: Path) -> Iterator[None]:
        """Judge all that a place holds; one `None` a run. UsageError, BundleError."""
        if place.is_dir():
            for path in bundles_in(place):
                self._bundle(path)
                yield
            return
        for run in read_corpus(place):
            self._trajectory(run, str(place))
            yield

    def told(self) -> str:
        return f"{plural(self._runs, 'run')}, {plural(self._steps, 'step')} judged"

    def now(self) -> float:
        return self._clock.monotonic()

    def score(self) -> Score:
        return self._tally.score(self._judging_seconds)

    def _trajectory(self, run: Trajectory, source: str) -> None:
        began = self._clock.monotonic()
        judged = judge(run, self._rules)
        self._took(began, judged.steps)
        scored = ScoredRun(
            id=run.id,
            source=source,
            steps=judged.steps,
            kind=run.kind,
            label=run.label,
            onset_step=run.onset_step,
        )
        self._tally.add(scored, judged.found, len(judged.bugs))

    def _bundle(self, path: Path) -> None:
        bundle = open_bundle(path)
        settings = settings_for(self._policy, bundle)
        began = self._clock.monotonic()
        seen = refold(settings, recorded_events(bundle), own_policy=False)
        self._took(began, seen.steps)
        if bundle.damage is not None:
            told = f"{path}: the ledger is read up to line {bundle.damage.line}: {bundle.damage.detail[:400]}"
            typer.echo(f"microloop: {harmless(told)}", err=True)
        scored = ScoredRun(id=path.name, source=str(path), steps=seen.steps, kind=BUNDLES)
        self._tally.add(scored, [item.found for item in seen.occurrences], len(seen.bugs))

    def _took(self, began: float, steps: int) -> None:
        self._judging_seconds += self._clock.monotonic() - began
        self._runs += 1
        self._steps += steps
