"""The figures, on runs where they can be worked out by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from microloop_cli.core.evaluation.scoring import NAMED_RUNS, Tally, median
from tests.core.evaluation.made import found, scored


def test_a_signal_at_the_onset_is_a_hit_without_delay() -> None:
    tally = Tally()
    tally.add(scored("loop", onset=5), [found(5)])
    score = tally.score()
    assert (score.precision, score.recall, score.median_delay_steps) == (1.0, 1.0, 0.0)


def test_an_early_signal_costs_precision_and_a_later_one_still_hits() -> None:
    tally = Tally()
    tally.add(scored("loop", onset=5), [found(4), found(7)])
    score = tally.score()
    assert (score.precision, score.recall, score.median_delay_steps) == (0.5, 1.0, 2.0)
    assert (score.hits, score.early) == (1, 1)
    assert [alarm.step for alarm in score.early_alarms] == [4]


def test_a_loop_with_only_an_early_signal_is_missed_and_named() -> None:
    tally = Tally()
    tally.add(scored("loop", onset=5, run_id="late"), [found(4)])
    score = tally.score()
    assert (score.precision, score.recall, score.median_delay_steps) == (0.0, 0.0, None)
    assert [(miss.id, miss.onset_step, miss.source) for miss in score.misses] == [("late", 5, "made")]


def test_a_signal_on_a_healthy_run_is_a_false_alarm_once_a_run() -> None:
    tally = Tally()
    tally.add(scored("loop", onset=1), [found(3)])
    tally.add(scored("healthy", run_id="well"), [found(3), found(9)])
    tally.add(scored("healthy"), [])
    score = tally.score()
    assert (score.precision, score.false_alarm_rate) == (0.5, 0.5)
    assert [(alarm.id, alarm.step, alarm.detector) for alarm in score.false_alarms] == [("well", 3, "repeat")]


def test_runs_without_a_label_count_for_the_wild_rate_only() -> None:
    tally = Tally()
    for signals in ([found(2)], [], [], []):
        tally.add(scored(None), signals)
    score = tally.score()
    assert score.wild_rate == 0.25
    assert (score.precision, score.recall, score.false_alarm_rate) == (None, None, None)


@pytest.mark.parametrize(
    ("least", "recall"), [("record", 1.0), ("nudge", 0.75), ("refuse", 0.5), ("stop", 0.25)]
)
def test_only_answers_that_are_hard_enough_count(least: str, recall: float) -> None:
    tally = Tally(least)  # type: ignore[arg-type]
    for answer in ("record", "nudge", "refuse", "stop"):
        tally.add(scored("loop", onset=1), [found(2, answer)])
    assert tally.score().recall == recall


def test_each_kind_has_its_own_figures() -> None:
    tally = Tally()
    tally.add(scored("loop", onset=1, kind="a"), [found(2)])
    tally.add(scored("loop", onset=1, kind="b"), [])
    tally.add(scored("healthy", kind="c"), [])
    kinds = tally.score().per_kind
    assert [(name, kind.recall, kind.false_alarm_rate) for name, kind in kinds.items()] == [
        ("a", 1.0, None), ("b", 0.0, None), ("c", None, 0.0),
    ]  # fmt: skip
    assert kinds["a"].median_delay_steps == 1


def test_a_kind_with_two_labels_stands_once_for_each() -> None:
    tally = Tally()
    tally.add(scored("loop", onset=1), [])
    tally.add(scored(None), [])
    assert set(tally.score().per_kind) == {"k (loop)", "k (unlabelled)"}


def test_the_speed_is_steps_by_seconds_of_judging() -> None:
    tally = Tally()
    tally.add(scored(None), [])
    assert tally.score(0.5).steps_per_second == 20.0
    assert tally.score(0.0).steps_per_second is None


def test_nothing_to_compute_from_is_none() -> None:
    score = Tally().score(1.0)
    assert (score.precision, score.recall, score.wild_rate, score.median_delay_steps) == (None,) * 4
    assert score.per_kind == {}


def test_memory_is_bounded_whatever_is_missed() -> None:
    tally = Tally()
    for number in range(NAMED_RUNS + 50):
        tally.add(scored("loop", onset=1, run_id=str(number)), [])
    score = tally.score()
    assert (len(score.misses), score.loops) == (NAMED_RUNS, NAMED_RUNS + 50)


def test_the_median_of_an_even_number_is_between_the_middle_two() -> None:
    assert median(Counter([1, 2, 4, 9])) == 3
    assert median(Counter([1, 2, 9])) == 2
    assert median(Counter()) is None
