"""A score as people and programs read it."""

from __future__ import annotations

import json

from microloop_cli.core.evaluation.scoring import Score, Tally
from microloop_cli.view.scores import NAMED_LINES, score_document, score_lines
from tests.core.evaluation.made import found, scored


def shown(score: Score, width: int = 100) -> list[str]:
    return [text.plain.rstrip() for text in score_lines(score, "default", width)]


def test_figures_that_cannot_be_computed_are_a_dash() -> None:
    lines = shown(Tally().score())
    assert [line.split()[1] for line in lines if line.startswith("  precision")] == ["-"]
    assert [line.split()[2] for line in lines if line.startswith("  median delay")] == ["-"]


def test_missed_loops_and_false_alarms_are_named() -> None:
    tally = Tally()
    tally.add(scored("loop", onset=3, run_id="missed"), [])
    tally.add(scored("loop", onset=3, run_id="early"), [found(2)])
    tally.add(scored("healthy", run_id="disturbed"), [found(7, "stop", "cycle")])
    text = "\n".join(shown(tally.score()))
    assert "  missed  from step 3 of 10  made" in text
    assert "loops with a signal before their onset  1\n  early  step 2  repeat, nudge: seen at 2" in text
    assert "healthy runs with a signal  1\n  disturbed  step 7  cycle, stop: seen at 7" in text


def test_many_misses_are_cut_and_counted() -> None:
    tally = Tally()
    for number in range(NAMED_LINES + 5):
        tally.add(scored("loop", onset=3, run_id=f"run-{number}"), [])
    lines = shown(tally.score())
    assert f"loops that were missed  {NAMED_LINES + 5}, the first {NAMED_LINES} (--json names more)" in lines
    assert sum(line.startswith("  run-") for line in lines) == NAMED_LINES


def test_defects_of_detectors_are_told() -> None:
    tally = Tally()
    tally.add(scored("healthy"), [], 2)
    assert "2 times a detector failed: a bug of microloop's" in shown(tally.score())


def test_no_line_is_wider_than_the_terminal() -> None:
    tally = Tally()
    tally.add(scored("loop", onset=3, run_id="m" * 300, kind="k" * 300), [])
    tally.add(scored("healthy", run_id="d" * 300), [found(3)])
    assert max(map(len, shown(tally.score(), 80))) <= 90


def test_the_document_is_plain_data() -> None:
    tally = Tally("refuse")
    tally.add(scored("healthy", run_id="x"), [found(3, "refuse")])
    document = json.loads(json.dumps(score_document(tally.score(2.0), "mine")))
    assert (document["policy"], document["answer"], document["steps_per_second"]) == ("mine", "refuse", 5.0)
    assert document["false_alarms"][0]["step"] == 3
    assert document["recall"] is None
