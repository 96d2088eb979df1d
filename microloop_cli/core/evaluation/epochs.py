"""The state of the files in a foreign run, inferred from what was asked for and what came back. Pure."""

from __future__ import annotations

import msgspec

from microloop_cli.core.evaluation.deeds import Deed
from microloop_cli.core.progress.signals import Signals


class _Applied(msgspec.Struct, frozen=True):
    """An edit as it was last made: the number of this write, and what it said."""

    write: int
    digest: str


class InferredEpochs:
    """Told of the steps in order; `current` names the state of the files, a new name for each change.

    A command that writes makes a new epoch, unless it was refused, failed as it had failed before, or is
    the same edit as before with none of its files touched since. One that perhaps writes does so only when
    it says what it never said before: a program that says the same again is taken to have changed nothing.
    What it changed is held against other commands only: until one of those comes, the program itself is run
    in the same epoch again.
    """

    def __init__(self) -> None:
        self._epoch = 0
        self._writes = 0
        self._last_unnamed = 0
        self._touched: dict[str, int] = {}
        self._applied: dict[str, _Applied] = {}
        self._said: set[tuple[str, str]] = set()
        self._pending: str | None = None

    def before(self, deed: Deed) -> str:
        """The epoch this step begins in."""
        if self._pending not in (None, deed.meaning.action):
            self._epoch += 1
            self._pending = None
        return self._name()

    def after(self, deed: Deed, signals: Signals | None) -> str:
        """The epoch the step ended in; `signals` is what its output said."""
        known = deed.meaning
        digest = signals.output_digest if signals is not None else ""
        said = (known.action, digest)
        if known.writes == "yes":
            failed_again = said in self._said and signals is not None and signals.error is not None
            if not failed_again and not _was_refused(signals) and self._changes(deed, digest):
                self._written(deed, digest)
        elif known.writes == "perhaps":
            self._pending = None if said in self._said else known.action
        if known.writes != "no":
            self._said.add(said)
        return self._name()

    def _changes(self, deed: Deed, digest: str) -> bool:
        """Whether a write that was made before, and is made again, can have changed anything."""
        before = self._applied.get(deed.command)
        if before is None or deed.again == "changes":
            return True
        if deed.again == "runs" or not deed.meaning.paths:
            return before.write != self._writes or (deed.again == "runs" and before.digest != digest)
        if self._last_unnamed > before.write:
            return True
        return any(self._touched.get(path, 0) > before.write for path in deed.meaning.paths)

    def _written(self, deed: Deed, digest: str) -> None:
        self._epoch += 1
        self._writes += 1
        self._pending = None
        self._applied[deed.command] = _Applied(self._writes, digest)
        for path in deed.meaning.paths:
            self._touched[path] = self._writes
        if not deed.meaning.paths or deed.again == "runs":
            self._last_unnamed = self._writes

    def _name(self) -> str:
        return f"inferred-{self._epoch}"


def _was_refused(signals: Signals | None) -> bool:
    return signals is not None and signals.error is not None and signals.error.kind == "edit"
