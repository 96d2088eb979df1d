"""What the engine remembers of finished steps: short windows, so that a run of any length costs the same."""

from __future__ import annotations

import msgspec

from microloop_cli.core.progress.signals import CommandKind, ErrorSignature, TestOutcome, Trouble

RECENT_STEPS = 64
TEST_RUNS = 32
EDITS = 32
# A step brings news when at least this share of its lines was never shown before.
NEWS_SHARE = 0.1


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One step. `result` is equal for results that mean the same, None when nothing was captured.

    paths: what the command names.
    epoch, epoch_after: the workspace's state when it began and ended. A refused step did not run; it
    stands for the run it would have been, with the result that was foreseen.
    """

    step: int
    action: str
    command: str
    kind: CommandKind
    polls: bool = False
    elsewhere: bool = False
    refused: bool = False
    epoch: str
    epoch_after: str
    result: str | None = None
    failed: bool = False
    lines: int = 0
    new_lines: int = 0
    outcome: TestOutcome | None = None
    error: ErrorSignature | None = None
    trouble: Trouble | None = None
    paths: tuple[str, ...] = ()

    @property
    def is_waiting(self) -> bool:
        return self.kind == "wait"

    @property
    def brings_news(self) -> bool:
        # What an edit says about itself is no news of the code.
        if self.refused or self.kind == "edit":
            return False
        return self.new_lines > 0 and self.new_lines >= NEWS_SHARE * self.lines

    @property
    def is_stale(self) -> bool:
        """It showed something, and nothing of it was new. Silence is no answer that was heard before."""
        return self.lines > 0 and not self.brings_news and not self.changes_files

    @property
    def changes_files(self) -> bool:
        return self.epoch_after != self.epoch


class History(msgspec.Struct, frozen=True, kw_only=True):
    """`recent`: the last steps, waits left out. `tests` and `edits`: the last of each, from further back.

    `baseline`: what the first test run came to, when it stood before any edit. `stale_steps`: how many of the
    last steps showed nothing new, back to news or to a change.
    """

    recent: tuple[Record, ...] = ()
    tests: tuple[Record, ...] = ()
    edits: tuple[Record, ...] = ()
    baseline: TestOutcome | None = None
    stale_steps: int = 0

    def with_step(self, record: Record) -> History:
        """The history with one more step; a refused one that ran after all takes its own place."""
        if record.is_waiting:
            return self
        return History(
            recent=_appended(self.recent, record, RECENT_STEPS),
            tests=_appended(self.tests, record, TEST_RUNS) if record.outcome is not None else self.tests,
            edits=_appended(self.edits, record, EDITS) if record.kind == "edit" else self.edits,
            baseline=self.baseline or (record.outcome if not self.edits else None),
            stale_steps=self._stale_with(record),
        )

    def _stale_with(self, record: Record) -> int:
        if record.brings_news or record.changes_files or record.result is None:
            return 0
        before = self.stale_steps if self.recent and self.recent[-1].epoch_after == record.epoch else 0
        return before + record.is_stale

    def last_of(self, action: str) -> Record | None:
        """The most recent step that did the same."""
        for record in reversed(self.recent):
            if record.action == action:
                return record
        return None

    def cleared(self) -> History:
        """After verified progress: what was before it is no evidence any more."""
        return msgspec.structs.replace(self, recent=(), edits=(), stale_steps=0)

    def without(self, step: int) -> History:
        """The history without that step: a refused one that was run nevertheless."""
        if not self.recent or self.recent[-1].step != step:
            return self
        return msgspec.structs.replace(
            self,
            recent=self.recent[:-1],
            tests=tuple(record for record in self.tests if record.step != step),
            edits=tuple(record for record in self.edits if record.step != step),
        )


def _appended(records: tuple[Record, ...], record: Record, most: int) -> tuple[Record, ...]:
    return (*records[-(most - 1) :], record)
