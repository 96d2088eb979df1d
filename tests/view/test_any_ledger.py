"""Whatever a ledger that can be read holds, in whatever order: a view, lines and JSON come out of it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.bundle.ledger import parse_line
from microloop_cli.core.events import LateOutput
from microloop_cli.core.traffic import Tokens
from microloop_cli.view.cells import width_of
from microloop_cli.view.conversation import conversation_lines
from microloop_cli.view.extras import read_environment
from microloop_cli.view.networklog import network_lines
from microloop_cli.view.runview import run_view
from microloop_cli.view.stepview import Kept, step_lines
from microloop_cli.view.summary import step_document, summary
from microloop_cli.view.terminal import run_lines
from microloop_cli.view.trafficdocs import (
    conversation_document,
    log_document,
    model_document,
    network_document,
    tools_document,
)
from tests.view.ledgers import Story, Told, loop_story
from tests.view.talks import repair_story

NUMBERS = st.sampled_from([0, 1, 2, 3, -1, 126, 2**31, 2**63 - 1, -(2**63)])
TIMES = st.one_of(st.floats(-1e308, 1e308), st.sampled_from([0.0, 1e308, -1e308, 5e-324]))
TEXTS = st.one_of(st.text(), st.sampled_from(["", "\x1b[2J", "[bold]", "\u202e", "x" * 10_000, "\n\n\n"]))


def material() -> list[Any]:
    story, talk = loop_story(), repair_story()
    n = story.begin("make")
    story.exec("cc", step=n, parent=story.execs)
    story.say(LateOutput(step=n, stream="stdout", bytes=3))
    told = [*story.entries, *Story().finish().entries, *talk.entries, *talk.entries[4:]]
    return [entry.event for entry in told]


def replaced(event: Any, draw: st.DrawFn) -> Any:
    """The event with some of its fields changed to others of the same type."""
    changed: dict[str, Any] = {}
    for field in event.__struct_fields__:
        value = getattr(event, field)
        if draw(st.integers(0, 3)):
            continue
        if isinstance(value, bool):
            changed[field] = draw(st.booleans())
        elif isinstance(value, int):
            changed[field] = draw(NUMBERS)
        elif isinstance(value, str) and field not in {
            "type",
            "kind",
            "lineage",
            "answer",
            "stream",
            "outcome",
            "limit",
            "how",
        }:
            changed[field] = draw(TEXTS)
        elif isinstance(value, float):
            changed[field] = draw(TIMES)
        elif isinstance(value, Tokens):
            changed[field] = Tokens(input=draw(NUMBERS), output=draw(NUMBERS), cached=draw(NUMBERS))
        elif isinstance(value, tuple) and value and all(isinstance(item, int) for item in value):
            changed[field] = tuple(draw(st.lists(NUMBERS, max_size=5)))
    return msgspec.structs.replace(event, **changed)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Told]:
    events = draw(st.lists(st.sampled_from(material()), max_size=30))
    return [Told(n, draw(TIMES), replaced(event, draw)) for n, event in enumerate(events, start=1)]


@settings(max_examples=150, deadline=None)
@given(ledgers(), st.integers(20, 200), st.booleans())
def test_every_readable_ledger_can_be_shown(entries: list[Told], width: int, show_all: bool) -> None:
    view = run_view(entries, tree_of=1, network_log=True)
    lines = [text.plain for text in run_lines(view, read_environment(None), (), width, show_all)]
    lines += [text.plain for text in conversation_lines(view, width, show_all)]
    lines += [text.plain for text in network_lines(view, width, show_all)]
    for document in (summary(view, None, None), conversation_document(view), log_document(view)):
        json.dumps(document)
    # What microloop itself writes must be readable by anyone: no number is larger than JSON readers take.
    for document in (
        model_document(view.model),
        tools_document(view.model.tools),
        network_document(view.network),
    ):
        assert msgspec.json.decode(msgspec.json.encode(document)) == document
    assert view.tree is not None
    for step in view.steps[:3]:
        outputs = (Kept("stdout", step.stdout, b"some\x1b[31m output\n"), Kept("stderr", step.stderr, None))
        lines += [text.plain for text in step_lines(view, step, view.tree, outputs, width, show_all)]
        json.dumps(step_document(view, step, view.tree, {"stdout": b"\xff", "stderr": None}))
    assert not any("\x1b" in line or "\u202e" in line or "\n" in line for line in lines)
    assert all(width_of(line) < 11_000 for line in lines)


def test_a_time_that_is_no_number_people_use_can_be_shown() -> None:
    story = Story()
    raw = (
        b'{"seq":1,"at":1e308,"type":"tick","data":{},"prev":"'
        + b"0" * 64
        + b'","hash":"'
        + b"0" * 64
        + b'"}'
    )
    entry = parse_line(raw)
    story.entries.append(Told(99, entry.at, entry.event))
    assert list(run_lines(run_view(story.entries), read_environment(None), (), 80))
