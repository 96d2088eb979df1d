"""`microloop eval CORPUS...`: how right the progress engine is on recorded runs."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from microloop_cli.cli.judging import place_named

if TYPE_CHECKING:
    from microloop_cli.core.evaluation.scoring import Score


class Least(str, Enum):
    """The mildest answer that counts as a signal."""

    record = "record"
    nudge = "nudge"
    refuse = "refuse"
    stop = "stop"


def command(
    corpora: list[str] = typer.Argument(
        None, metavar="CORPUS...", help="Files of runs (JSON lines, .gz too), bundles, directories of them."
    ),
    policy: str | None = typer.Option(None, metavar="NAME|FILE", help="Judge under this policy."),
    answer: Least = typer.Option(
        Least.record, help="What counts: any finding (record), or only this answer and harder ones."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
    workspace: str | None = typer.Option(
        None, "-C", "--workspace", help="The workspace of runs named by id."
    ),
) -> int:
    """Score the progress engine: precision, recall, false alarms, delay, for each kind of run, and its speed.

    A loop is hit by its first signal at or after its onset; a signal before the onset, and any on a healthy
    run, counts against precision. Runs without a label, bundles too, give the wild rate.
    """
    from microloop_cli.errors import UsageError

    if not corpora:
        raise UsageError("there is nothing to judge", hint="microloop eval runs.jsonl.gz")
    places = [place_named(corpus, workspace) for corpus in corpora]
    score = _scored(places, policy, answer)
    _show(score, policy or "default", as_json)
    return 0


def _scored(places: list[Path], policy: str | None, answer: Least) -> Score:
    import gc

    from microloop_cli.cli.counting import CountLine
    from microloop_cli.cli.scoring import Scoring
    from microloop_cli.run.clock import SystemClock

    gc.enable()  # main turned it off for a fast start; a corpus may take hours
    scoring = Scoring(policy, answer.value, SystemClock())
    line = CountLine()
    try:
        for place in places:
            for _ in scoring.judged(place):
                line.show(scoring.told(), scoring.now())
    finally:
        line.clear()
    return scoring.score()


def _show(score: Score, policy: str, as_json: bool) -> None:
    from microloop_cli.cli.output import width, write_json, write_lines
    from microloop_cli.view.scores import score_document, score_lines

    if as_json:
        write_json(score_document(score, policy))
    else:
        write_lines(score_lines(score, policy, width()))
