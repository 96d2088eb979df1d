"""The state of the files where nobody watches them (`microloop gateway`), inferred from tool calls. Pure."""

from __future__ import annotations

from microloop_cli.core.evaluation.deeds import Deed
from microloop_cli.core.evaluation.epochs import InferredEpochs
from microloop_cli.core.evaluation.rewriting import again
from microloop_cli.core.events import WorkspaceChanged
from microloop_cli.core.progress.signals import Meaning, Signals

# What was said and written is forgotten after so many: a gateway may run for weeks. That is one new state.
REMEMBERED_CALLS = 10_000


class ToolEpochs:
    """Told of the calls of one run in their order. What it returns is to be put into the inbox before the
    ToolCalled or ToolAnswered that it was told of."""

    def __init__(self) -> None:
        self._epochs = InferredEpochs()
        self._calls = self._forgotten = 0
        self._last = ""

    def called(self, meaning: Meaning, command: str | None) -> tuple[WorkspaceChanged, ...]:
        """Before a tool call; `command`: of a shell's, else None."""
        self._calls += 1
        if self._calls > REMEMBERED_CALLS:
            self._epochs, self._calls, self._forgotten = InferredEpochs(), 0, self._forgotten + 1
        return self._changed(self._epochs.before(_deed(meaning, command)), ())

    def answered(
        self, meaning: Meaning, command: str | None, signals: Signals | None
    ) -> tuple[WorkspaceChanged, ...]:
        """After it: an edit that was not refused made a new state, so did a program that says new things."""
        return self._changed(self._epochs.after(_deed(meaning, command), signals), meaning.paths)

    def _changed(self, name: str, paths: tuple[str, ...]) -> tuple[WorkspaceChanged, ...]:
        if self._forgotten:
            name = f"{self._forgotten}-{name}"
        if name == self._last:
            return ()
        self._last = name
        return (WorkspaceChanged(epoch=name, paths=paths, count=len(paths)),)


def _deed(meaning: Meaning, command: str | None) -> Deed:
    """A tool's edit is named by its action, which tells one from another; a whole file is written once."""
    if command is not None:
        return Deed(command, meaning, again(command) if meaning.writes == "yes" else "changes")
    return Deed(meaning.action, meaning, "nothing" if meaning.action.startswith("write ") else "changes")
