"""What the gateway sees becomes facts of the run, without secrets; verdicts become notes for the model."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from microloop_cli.core.actions import ToolVerdict
from microloop_cli.core.traffic import ModelAnswered, ModelAsked, ModelRefused, ToolAnswered, ToolCalled
from microloop_cli.gateway.model import Asked, CallRecord, Usage
from microloop_cli.gateway.spending import NearLimit, Refused
from microloop_cli.gateway.wire.tools.tool import ToolCall
from microloop_cli.run.tools import MAX_ARGUMENTS_CHARS
from tests.core.story import exec_fact
from tests.run.listening_room import CAP, SECRET, Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def asked(model: str = "m") -> Asked:
    return Asked(
        provider="openai", surface="chat", model=model, stream=True, body=b"{}", input_estimate_tokens=1
    )


def test_a_model_call_is_recorded_with_its_exact_cost(room: Room) -> None:
    room.listener.asked(1, asked())
    usage = Usage(input_tokens=7, cached_tokens=3, output_tokens=2, reasoning_tokens=5)
    room.listener.answered(
        CallRecord(
            number=1, provider="openai", surface="chat", model="m", status=200, usage=usage,
            cost_usd=Decimal("1E-7"), seconds=0.12345678, cut=True,
        )
    )  # fmt: skip
    question, answer = room.last(ModelAsked), room.last(ModelAnswered)
    assert (question.call, question.model, question.stream, question.request_bytes) == (1, "m", True, 2)
    assert (answer.cost_usd, answer.seconds, answer.cut) == ("0.0000001", 0.123457, True)
    assert (answer.tokens.input, answer.tokens.cached, answer.tokens.output) == (7, 3, 5)
    assert room.inbox.state.money.cost_usd == Decimal("0.0000001")


def test_names_and_messages_are_bounded_and_can_be_written(room: Room) -> None:
    room.listener.asked(1, asked("m\ud800" * 1_000))
    room.listener.refused(
        Refused(limit="price", used=Decimal(0), allowed=Decimal(0), message="x" * 5_000 + SECRET)
    )
    room.listener.near(NearLimit(limit="tokens", used=Decimal(8), allowed=Decimal(10)))
    assert room.last(ModelAsked).model == "m?" * 100
    assert room.last(ModelRefused).message == "x" * 1_000


def test_a_loop_of_reads_gets_its_notes(room: Room) -> None:
    notes = [room.result(room.call("Read", file_path="a.py")) for _ in range(5)]
    assert [note.how if note else None for note in notes] == [None, None, "append", "replace", "replace"]
    assert notes[2] is not None
    assert notes[2].text.startswith("microloop: `Read a.py` has given the same result 3 times")


def test_results_without_words_are_no_loop_for_they_may_be_images(room: Room) -> None:
    assert {room.result(room.call("screenshot"), "") for _ in range(8)} == {None}


def test_edits_that_say_nothing_are_compared_all_the_same(room: Room) -> None:
    notes = [room.result(room.call("Write", file_path="a", content="x"), "") for _ in range(4)]
    assert [note.how if note else None for note in notes] == [None, None, "append", "replace"]


def test_a_change_of_the_workspace_is_settled_before_the_result_is_judged(room: Room) -> None:
    for number in range(6):
        call = room.call("Read", file_path="a.py")
        room.epoch = f"e{number}"
        assert room.result(call) is None
    kinds = [type(event).__name__ for event in room.events[-3:]]
    assert kinds == ["WorkspaceChanged", "ToolAnswered", "ToolVerdict"]


def test_the_result_of_a_step_of_its_own_is_kept_in_the_bundle(room: Room) -> None:
    room.result(room.call("Read", file_path="a.py"), "def f(): ...\n")
    assert room.last(ToolVerdict).step == 1
    assert room.last(ToolAnswered).bytes == 13
    assert room.stored("steps/0001/stdout") == b"def f(): ...\n"


def test_a_long_result_is_kept_by_its_ends_and_compared_by_all_of_it(room: Room) -> None:
    words = [f"line {number} of it" for number in range(1_000)]
    first, other = "\n".join(words), "\n".join([*words[:500], "something else", *words[501:]])
    digests = []
    for text in (first, first, other):
        room.result(room.call("Read", file_path="a.py"), text)
        digests.append(room.last(ToolAnswered).signals.output_digest)
    assert digests[0] == digests[1] != digests[2]
    kept = room.stored("steps/0001/stdout")
    assert (len(kept), kept[:CAP]) == (2 * CAP, first.encode()[:CAP])


def test_the_result_of_a_command_that_ran_as_a_process_is_left_to_its_step(room: Room) -> None:
    call = room.call("bash", command="ls -l")
    room.inbox.put(exec_fact(1, "agent", lineage="root"), exec_fact(2, "sh", "-c", "ls -l"))
    assert room.result(call) is None
    assert (room.last(ToolVerdict).step, room.last(ToolVerdict).command) == (1, None)
    assert room.last(ToolAnswered).signals is None
    room.writer.close()
    assert not (room.folder / "steps").exists()


def test_no_secret_reaches_the_ledger_the_bundle_or_the_note(room: Room) -> None:
    notes = [room.result(room.call("Read", file_path=f"{SECRET}.txt"), f"it is {SECRET}\n") for _ in range(4)]
    room.call("bash", command="x" * (MAX_ARGUMENTS_CHARS - 30) + SECRET)  # would be cut in the middle of it
    told = repr(room.events) + repr(notes)
    assert SECRET not in told
    assert SECRET[:12] not in told
    assert room.stored("steps/0001/stdout") == b"it is <PASSPHRASE>\n"


def test_long_arguments_are_cut_and_still_told_apart(room: Room) -> None:
    ids = [room.call("Write", file_path="a.py", content="x" * 20_000 + end) for end in ("1", "2", "1")]
    facts = [event for event in room.events if isinstance(event, ToolCalled)]
    assert {len(fact.arguments) for fact in facts} == {MAX_ARGUMENTS_CHARS}
    calls = [room.inbox.state.tools.open[each].meaning for each in ids]
    assert calls[0].action == calls[2].action != calls[1].action
    assert calls[0].paths == ("a.py",)


def test_ids_stay_apart_when_they_read_like_secrets_or_are_long(room: Room) -> None:
    ids = [
        "sk-ant-api03-" + "aB3d" * 20,
        "sk-ant-api03-" + "zB3d" * 20,
        "x" * 500,
        "x" * 501,
        "toolu_01A09q90qw",
    ]
    for each in ids:
        room.listener.tool_called(1, ToolCall(id=each, name="Read", arguments="{}"))
    assert len(room.inbox.state.tools.open) == len(ids)
    assert max(map(len, room.inbox.state.tools.open)) < 200
    for each in ids:
        room.result(each)
        assert room.last(ToolVerdict).step is not None


def test_a_failing_command_of_an_unguarded_shell_is_known_by_its_words(tmp_path: Path) -> None:
    room = Room(tmp_path, inferred=True)
    room.result(
        room.call("Bash", command="make"), "Exit code 2\nmake: *** No rule to make target 'x'. Stop.\n"
    )
    assert room.last(ToolAnswered).signals.error is not None


@pytest.mark.parametrize(
    "result",
    [
        "Chunk ID: {0:06x}\nWall time: 0.0{0} seconds\nProcess exited with code 0\nOutput:\nx = 1\n",
        "<untrusted_context>\nOutput: x = 1\nBackground PIDs: {0}, 7\nProcess Group PGID: {0}\n</untrusted_context>",
    ],
    ids=["codex", "gemini"],
)
def test_what_an_agent_writes_around_a_commands_output_makes_no_other_result(
    tmp_path: Path, result: str
) -> None:
    room = Room(tmp_path, inferred=True)
    notes = [
        room.result(room.call("exec_command", cmd="cat a.py"), result.format(9_170 + turn))
        for turn in range(4)
    ]
    assert [note and note.how for note in notes] == [None, None, "append", "replace"]


def test_without_a_workspace_an_edit_makes_a_new_state(tmp_path: Path) -> None:
    room = Room(tmp_path, inferred=True)
    for number in range(6):
        assert room.result(room.call("Read", file_path="a.py")) is None
        edit = room.call("Edit", file_path="a.py", old_string=f"{number}", new_string="x")
        assert room.result(edit, "done") is None


def test_an_answer_that_nobody_asked_for_passes(room: Room) -> None:
    assert room.result("from an old conversation") is None
    assert room.inbox.state.steps == 0


def test_when_recording_fails_it_is_told_once_and_nothing_more_is_said(room: Room) -> None:
    call = room.call("Read", file_path="a.py")
    room.full = True
    assert room.result(call) is None
    room.listener.asked(1, asked())
    room.full = False
    room.listener.asked(2, asked())
    room.call("Read", file_path="a.py")
    assert [error.message for error in room.failures] == ["the disk is full"]
    assert [event for event in room.events if isinstance(event, ModelAsked)] == []
