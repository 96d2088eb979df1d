"""What a step says about progress, read off its command and its output: the words all detectors speak."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

CommandKind = Literal[
    "view", "search", "list", "test", "edit", "vcs", "install", "run", "wait", "message", "other"
]  # fmt: skip
Writes = Literal["no", "perhaps", "yes"]
TestStatus = Literal["passed", "failed", "none_collected", "all_skipped", "crashed"]
Trouble = Literal["network", "rate_limit", "disk"]

FAILED_TESTS_KEPT = 200


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """What a command does, whatever way it is spelled.

    action: equal for commands that do the same (`cd x && ls`, `ls x/`, `ls ./x | head -100` are one).
    kind: of the part that matters most; `message` is no command but a reply without one.
    writes: may files of the workspace change by it?
    polls: it waits first (`sleep 5; ...`, the sleep is not in `action`). filtered: only part of what the
    program said is shown (`| head`, `| grep`, `2>/dev/null` is none). elsewhere: it looks at another state
    of the code on purpose (`git stash`, another worktree or revision). paths: the files it names, folded.
    """

    action: str
    kind: CommandKind
    writes: Writes = "perhaps"
    polls: bool = False
    filtered: bool = False
    elsewhere: bool = False
    paths: tuple[str, ...] = ()


class FailedTest(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """One failing test: its id as the runner names it, error type, and message with what varies masked."""

    id: str
    error: str = ""
    message: str = ""


class TestOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a test run came to. `failed` is sorted, at most FAILED_TESTS_KEPT; `failed_count` counts all.

    `complete` is False when the text says that more failed than are named (a cut or filtered output).
    `failing_set` is equal for equal sets of (id, error, message), whatever their order; "" when none failed.
    """

    __test__: ClassVar[bool] = False  # no test of pytest's, in spite of its name

    runner: str
    status: TestStatus
    failed: tuple[FailedTest, ...] = ()
    failed_count: int = 0
    passed: int | None = None
    complete: bool = True
    failing_set: str = ""


class ErrorSignature(msgspec.Struct, frozen=True, omit_defaults=True):
    """The error a failed command ended with: its type (or the program's name) and masked message."""

    kind: str
    message: str = ""


class Signals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a step's output says. `output_digest`: equal when two outputs mean the same (64 hex digits).

    lines, new_lines: how many different lines of normalised text, and how many of them no earlier step
    had shown.
    trouble: the failure lies in the surroundings (network, rate limits, disk), not in what the agent did.
    """

    output_digest: str
    lines: int = 0
    new_lines: int = 0
    tests: TestOutcome | None = None
    error: ErrorSignature | None = None
    trouble: Trouble | None = None
