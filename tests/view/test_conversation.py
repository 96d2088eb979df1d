"""`inspect --conversation`: asked, ran, answered; calm at 80 columns, harmless, bounded."""

from __future__ import annotations

import json

import pytest

from microloop_cli.core.traffic import Tokens
from microloop_cli.view.cells import width_of
from microloop_cli.view.conversation import CALLS_SHOWN, conversation_lines
from microloop_cli.view.runview import run_view
from microloop_cli.view.trafficdocs import conversation_document
from tests.view.ledgers import Story
from tests.view.talks import Talk, repair_story
from tests.view.test_terminal import NASTY, assert_harmless, run_text, shown

REPAIR_AT_80 = """\
conversation of run 20260102-030405-abc123  4 calls, $0.02+

  own        step 1, exit 0: git status

call 1  claude-sonnet-4-5  at 0.50 s, 1,000 in, 50 out, $0.012, took 2.00 s
  asked      Bash: pytest -q
  ran        step 2, exit 1, 0.50 s
  answered   320 B
  asked      Read: {"path": "calc.py"}
  ran        step 3, no process, 0.60 s
  answered   240 B

call 2  claude-sonnet-4-5  at 3.10 s, HTTP 429, took 0.10 s

call 3  claude-sonnet-4-5  at 33.2 s, 1,000 in, 50 out, $0.008, took 2.00 s
  asked      Read: {"path": "calc.py"}
  ran        step 4, no process, 0.10 s
  answered   300 B, nudged
             microloop: you have read this file 3 times, and it is the same

call 4  claude-haiku-4-5  at 35.5 s, 1,000 in, 50 out, no price, took 2.00 s
  asked      Bash: pytest -q
  ran        step 5, exit 1, 0.50 s
  answered   320 B
  REFUSED    at 38.0 s: this run's cost limit of $0.0200 (--max-cost) is
             reached: $0.0200 used
"""


def text(talk: Story, width: int = 80, show_all: bool = False) -> str:
    return shown(conversation_lines(run_view(talk.entries), width, show_all))


def test_a_repair_reads_like_this() -> None:
    assert text(repair_story()) == REPAIR_AT_80


def test_a_run_without_model_calls_says_so() -> None:
    assert "no model call was seen" in text(Story().finish())


def test_an_agent_without_tool_calls_has_its_steps_below_the_calls_they_came_after() -> None:
    talk = Talk()
    talk.turn()
    talk.step("make")
    talk.turn()
    talk.step("make test", 2)
    assert text(talk).count("asked for no tool") == 2
    assert text(talk).index("call 1") < text(talk).index("ran        step 1, exit 0: make\n")
    assert text(talk).index("call 2") < text(talk).index("ran        step 2, exit 2: make test\n")


def test_the_agents_own_business_takes_two_lines_and_all_shows_each() -> None:
    talk = Talk()
    talk.turn(("a", "Bash", "make"))
    talk.ran("a", "make")
    for _ in range(80):
        talk.step("git rev-parse HEAD")
    assert (
        "  own        step 2, exit 0: git rev-parse HEAD\n             and 79 more, up to step 81\n"
        in text(talk)
    )
    assert text(talk, show_all=True).count("git rev-parse") == 80


def test_what_ran_is_named_when_it_is_not_what_was_asked_for() -> None:
    talk = Talk()
    talk.turn(("a", "Bash", "make && make test"))
    talk.ran("a", "make")
    talk.ran("a", "make test", 1)
    assert (
        "  ran        step 1, exit 0, 0.50 s: make\n  ran        step 2, exit 1, 0.50 s: make test\n"
        in text(talk)
    )
    assert "  answered   no answer seen\n" in text(talk)


def test_calls_that_failed_were_cut_or_estimated_say_so() -> None:
    talk = Talk()
    talk.answer(talk.ask(), status=0)
    talk.answer(talk.ask(), cut=True)
    talk.answer(talk.ask(), tokens=Tokens(input=7, output=3, estimated=True))
    talk.ask()
    told = text(talk)
    assert "no answer, took 2.00 s" in told
    assert "cut by a limit" in told
    assert "about 7 in, 3 out" in told
    assert "no end recorded" in told


def test_an_agent_that_asks_on_after_a_limit_is_told_of_in_a_few_lines() -> None:
    talk = Talk()
    talk.turn()
    for _ in range(50):
        talk.refuse_model("tokens", "microloop: no more")
    assert text(talk).count("REFUSED    at 2.00 s: no more") == 3
    assert "             and 47 more\n" in text(talk)
    assert "refused    50 requests; the first: no more\n" in run_text(talk)


def test_a_long_conversation_shows_both_ends_and_all_shows_everything() -> None:
    talk = Talk()
    for n in range(1000):
        talk.turn((f"t{n}", "Read", None))
    assert "... 800 calls left out (--all shows them) ..." in text(talk)
    assert text(talk).count("\ncall ") == 2 * CALLS_SHOWN
    assert text(talk, show_all=True).count("\ncall ") == 1000


def test_a_call_with_very_many_tools_is_cut() -> None:
    talk = Talk()
    talk.turn(*((f"t{n}", "Read", None) for n in range(500)))
    assert "480 tool calls left out" in text(talk)
    assert len(text(talk)) < 5000


@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_of_it_can_act_on_the_terminal_and_lines_fit(width: int) -> None:
    talk = Talk((NASTY,))
    talk.step(NASTY)
    talk.turn((NASTY, NASTY, NASTY), (NASTY + "2", NASTY, None), model=NASTY * 9)
    talk.ran(NASTY, NASTY)
    talk.did(NASTY + "2", NASTY, answer="append", text=NASTY)
    talk.refuse_model("price", NASTY)
    told = text(talk, width, show_all=True)
    assert_harmless(told)
    assert all(width_of(row) <= width for row in told.splitlines())


def test_the_same_as_json() -> None:
    document = conversation_document(run_view(repair_story().entries))
    assert json.loads(json.dumps(document)) == document
    first = document["calls"][0]
    assert (first["model"], first["cost_usd"], first["tokens"]["input"]) == (
        "claude-sonnet-4-5",
        "0.012",
        1000,
    )
    assert [(tool["tool"], tool["steps"], tool["result_bytes"]) for tool in first["tools"]] == [
        ("Bash", [2], 320),
        ("Read", [3], 240),
    ]
    assert document["own_steps"] == [1]
    assert document["refusals"][0]["limit"] == "cost_usd"
