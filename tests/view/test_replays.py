"""A run judged again, as people and programs read it."""

from __future__ import annotations

import json

from microloop_cli.core.actions import Release
from microloop_cli.core.evaluation.hindsight import Halt, Hindsight, Occurrence, Saved
from microloop_cli.core.progress.engine import DetectorBug
from microloop_cli.core.replay import Difference
from microloop_cli.view.replays import FINDINGS_SHOWN, Replayed, replay_document, replay_lines
from tests.core.evaluation.made import found

BUG = DetectorBug(detector="cycle", step=4, error="ValueError: x")
SEEN = Hindsight(
    steps=9,
    occurrences=(Occurrence(found(3), 1.5), Occurrence(found(4, "stop"), 2.0)),
    halt=Halt(4, "no_progress", "seen at 4", 2.0),
    saved=Saved(steps=6, refused_steps=1, seconds=12.5, cost_usd=0.5),
    bugs=(BUG,),
    unread_steps=2,
)


def replayed(
    hindsight: Hindsight = SEEN, difference: Difference | None = None, own: bool = False
) -> Replayed:
    return Replayed(
        run="r", source="bundle", policy="p", compared=own, hindsight=hindsight, difference=difference
    )


def shown(what: Replayed, width: int = 80, show_all: bool = False) -> str:
    return "\n".join(text.plain.rstrip() for text in replay_lines(what, width, show_all))


def test_findings_stop_and_savings_are_told_in_order() -> None:
    text = shown(replayed())
    parts = ["step 3  1.50 s  nudged  repeat", "step 4  2.00 s  stopped  repeat", "would have been stopped at step 4",
             "steps      6, 1 of them refused", "time       12.5 s", "cost       $0.50",
             "the outputs of 2 steps were recorded", "detector cycle failed at step 4"]  # fmt: skip
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_what_is_not_known_is_not_a_zero() -> None:
    text = shown(replayed(Hindsight(steps=1, occurrences=(), halt=None, saved=Saved())))
    assert "time       not known" in text
    assert "cost       not known" in text


def test_a_run_under_its_own_policy_saves_nothing_but_is_compared() -> None:
    text = shown(replayed(own=True))
    assert "the same as recorded, every one" in text
    assert "would have been" not in text
    different = Difference(7, (), (Release(step=1),))
    text = shown(replayed(own=True, difference=different))
    assert "NOT the same as recorded, from fact 7 on" in text
    assert "recorded   nothing" in text
    assert '"release"' in text


def test_many_findings_are_cut_unless_all_are_asked_for() -> None:
    many = Hindsight(
        steps=99,
        occurrences=tuple(Occurrence(found(step)) for step in range(1, FINDINGS_SHOWN + 11)),
        halt=None,
        saved=Saved(),
    )
    assert "... 10 more (--all shows them) ..." in shown(replayed(many))
    assert f"step {FINDINGS_SHOWN + 10}  nudged" in shown(replayed(many), show_all=True)


def test_the_document_is_plain_data() -> None:
    document = json.loads(json.dumps(replay_document(replayed(difference=Difference(7, (), ()), own=True))))
    assert (document["verdicts"], document["difference"]["fact"]) == ("different", 7)
    assert document["findings"][0] == {
        "detector": "repeat", "answer": "nudge", "step": 3, "steps": [1, 3], "text": "seen at 3",
        "confidence": 0.9, "at_seconds": 1.5,
    }  # fmt: skip
    assert document["saved"] == {"steps": 6, "refused_steps": 1, "seconds": 12.5, "cost_usd": 0.5}
    assert document["detector_bugs"] == [{"detector": "cycle", "step": 4, "error": "ValueError: x"}]
