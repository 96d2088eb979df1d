"""Tool calls and results that pass the gateway become facts, the core's verdict a note for the model."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

from microloop_cli.bundle.redaction import Redactor
from microloop_cli.bundle.writer import KeptOutput
from microloop_cli.core.actions import ToolVerdict
from microloop_cli.core.events import AnyFact
from microloop_cli.core.progress.normalise import Kept
from microloop_cli.core.progress.signals import Meaning, Signals
from microloop_cli.core.progress.tools import told_exit_code, tool_meaning, without_marks
from microloop_cli.core.tools import OpenCall, covering_step
from microloop_cli.core.traffic import ToolAnswered, ToolCalled
from microloop_cli.gateway.listener import Note
from microloop_cli.gateway.wire.tools.commands import command_of
from microloop_cli.gateway.wire.tools.tool import ToolCall, ToolResult
from microloop_cli.run.bounded import bounded, bounded_whole
from microloop_cli.run.inbox import Inbox
from microloop_cli.run.intake import OutputStore
from microloop_cli.run.results import kept_result

if TYPE_CHECKING:
    from microloop_cli.core.progress.reader import OutputReader

MAX_ARGUMENTS_CHARS = 16_384
MAX_NAME_CHARS = 200
MAX_ID_CHARS = 200


class Epochs(Protocol):
    """Says what tool calls do to files that nobody watches; see core.evaluation.tool_epochs."""

    def called(self, meaning: Meaning, command: str | None) -> tuple[AnyFact, ...]: ...
    def answered(
        self, meaning: Meaning, command: str | None, signals: Signals | None
    ) -> tuple[AnyFact, ...]: ...


def _tells(call: OpenCall, result: ToolResult) -> bool:
    """A result without text may be an image, which can be another one each time; an edit need say nothing."""
    return bool(result.text) or call.shell or call.meaning.kind == "edit"


class ToolIntake:
    """Takes one call or result at a time, in the order they pass."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        settled: Callable[[], tuple[AnyFact, ...]],
        reader: Callable[[], OutputReader],
        redactor: Redactor,
        store: OutputStore | None = None,
        epochs: Epochs | None = None,
        head_bytes: int,
        tail_bytes: int,
    ) -> None:
        """settled: what happened to the workspace up to now. reader: of the whole run, asked for when needed.
        store: where results are kept. epochs: instead of a workspace that is watched."""
        self._inbox = inbox
        self._settled = settled
        self._reader = reader
        self._redactor = redactor
        self._store = store
        self._epochs = epochs
        self._caps = head_bytes, tail_bytes

    def called(self, number: int, call: ToolCall) -> None:
        """Raises BundleError when recording fails."""
        command = command_of(call)
        fact = ToolCalled(
            call=number,
            id=self._id(call.id),
            tool=bounded(call.name, MAX_NAME_CHARS),
            arguments=self._text(call.arguments),
            command=None if command is None else self._text(command),
            conversation=call.conversation,
        )
        before: tuple[AnyFact, ...] = ()
        if self._epochs is not None:
            workspace = self._inbox.state.workspace
            meaning = tool_meaning(fact.tool, fact.arguments, fact.command, workspace)
            before = self._epochs.called(meaning, fact.command)
        self._inbox.put(*before, fact)

    def answered(self, number: int, result: ToolResult) -> Note | None:
        """What is to be done to the result on its way; None: it passes. BundleError when recording fails."""
        call_id = self._id(result.id)
        tools = self._inbox.state.tools
        call = tools.open.get(call_id)
        if call is not None and covering_step(tools, call_id) is not None:
            call = None  # a process was the step: its output was read
        kept = None if call is None else kept_result(result, *self._caps, self._redactor)
        signals = None
        if call is not None and kept is not None and _tells(call, result):
            signals = self._signals(call, kept, result.failed)
        before = self._settled()
        if call is not None and self._epochs is not None:
            before += self._epochs.answered(call.meaning, call.command if call.shell else None, signals)
        size = result.size_bytes or len(result.text.encode("utf-8", "replace"))
        fact = ToolAnswered(call=number, id=call_id, bytes=size, failed=result.failed, signals=signals)
        actions = self._inbox.put(*before, fact)
        verdict = next((action for action in actions if isinstance(action, ToolVerdict)), None)
        if verdict is None:
            return None
        if self._store is not None and kept is not None and verdict.step is not None and verdict.command:
            self._store.write_step_output(verdict.step, stdout=kept)
        return None if verdict.answer == "pass" else Note(how=verdict.answer, text=verdict.text)

    def _signals(self, call: OpenCall, kept: KeptOutput, failed: bool) -> Signals | None:
        stream = kept.stream
        total = stream.bytes
        if stream.redacted:  # the sizes are others now, and they say whether it is the whole
            total = stream.head_bytes + stream.tail_bytes + (1 if stream.coarse else 0)
        head, tail = (without_marks(part) if call.shell else part for part in (kept.head, kept.tail))
        left_out = len(kept.head) + len(kept.tail) - len(head) - len(tail)
        words = Kept(head, tail, total - left_out, stream.coarse)
        exit_code = told_exit_code(kept.head, kept.tail) if call.shell else None
        return self._reader().read(
            call.meaning, call.command, words, exit_code=int(failed) if exit_code is None else exit_code
        )

    def _text(self, text: str) -> str:
        """Without secrets, then cut: a piece of one would not be known for a secret."""
        return bounded_whole(self._redactor.text(bounded(text)), MAX_ARGUMENTS_CHARS)

    def _id(self, call_id: str) -> str:
        """The id, or a name made of it when it is long, or reads like a secret and would lose its name."""
        call_id = bounded(call_id)
        if len(call_id) <= MAX_ID_CHARS and self._redactor.text(call_id) == call_id:
            return call_id
        return f"id-{blake2b(call_id.encode(), digest_size=16).hexdigest()}"
