"""The repeat rule: one command, equal output, no file changed in between. Nudge, then refuse, then stop."""

from __future__ import annotations

from typing import Literal

import msgspec

from microloop_cli.core.settings import Progress

REMEMBERED_COMMANDS = 256
SHOWN_COMMAND_CHARS = 200
SHOWN_STEPS = 6
# Waiting says nothing about progress: a poll loop's `sleep` is not the loop.
WAITING = frozenset({"sleep", "true", ":", "wait"})


class Repeat(msgspec.Struct, frozen=True):
    """How often one command came to one result in one epoch, and how often it was refused since."""

    epoch: str
    digest: str
    exit_code: int | None
    steps: tuple[int, ...]
    count: int
    refusals: int = 0


class Judgement(msgspec.Struct, frozen=True):
    """What to do about a step: `pass`, or one of the answers with its text and evidence."""

    answer: Literal["pass", "record", "nudge", "refuse", "stop"] = "pass"
    text: str = ""
    steps: tuple[int, ...] = ()
    hold_end: bool = False


Repeats = dict[str, Repeat]


def before_step(repeats: Repeats, progress: Progress, command: str, epoch: str) -> tuple[Repeats, Judgement]:
    """Judge a command about to run: refuse or stop it, or hold its end because a nudge may be due."""
    known = repeats.get(command)
    if known is None or known.epoch != epoch or progress.answers == "record":
        return repeats, Judgement()
    attempt = known.count + known.refusals + 1
    if _reached(progress.repeat_stop, attempt):
        return _refused(repeats, command, known), Judgement("stop", stop_text(command, known), known.steps)
    if _reached(progress.repeat_refuse, attempt):
        return _refused(repeats, command, known), Judgement(
            "refuse", refuse_text(command, known), known.steps
        )
    return repeats, Judgement(hold_end=progress.repeat_nudge == attempt)


def after_step(
    repeats: Repeats,
    progress: Progress,
    command: str,
    *,
    step: int,
    epoch: str,
    digest: str | None,
    exit_code: int | None,
) -> tuple[Repeats, Judgement]:
    """Remember a result and judge it: the nudge is due in the output of the n-th equal one."""
    if digest is None or _is_waiting(command):
        return repeats, Judgement()
    known = repeats.get(command)
    if known is not None and (known.epoch, known.digest, known.exit_code) == (epoch, digest, exit_code):
        steps = (*known.steps[: SHOWN_STEPS - 1], step)
        known = msgspec.structs.replace(known, steps=steps, count=known.count + 1)
    else:
        known = Repeat(epoch=epoch, digest=digest, exit_code=exit_code, steps=(step,), count=1)
    repeats = _remembered(repeats, command, known)
    if progress.repeat_nudge != known.count:
        return repeats, Judgement()
    answer: Literal["nudge", "record"] = "nudge" if progress.answers == "act" else "record"
    return repeats, Judgement(answer, nudge_text(command, known), known.steps)


def nudge_text(command: str, known: Repeat) -> str:
    return (
        f"microloop: `{_shown(command)}` has now given the same output {known.count} times "
        f"({_steps(known)}) and no file in the workspace has changed in between. "
        "Running it again will give the same; change something first, or try another way."
    )


def refuse_text(command: str, known: Repeat) -> str:
    return (
        f"microloop: refused: `{_shown(command)}` gave the same output {known.count} times "
        f"({_steps(known)}) and no file in the workspace has changed since, so it was not run again. "
        "It is allowed again as soon as a file changes; edit something, or run a different command."
    )


def stop_text(command: str, known: Repeat) -> str:
    return (
        f"`{_shown(command)}` gave the same output {known.count} times ({_steps(known)}), was refused "
        f"{known.refusals} times, and was tried again without any file changed"
    )


def _is_waiting(command: str) -> bool:
    words = command.split()
    return not words or (words[0].rpartition("/")[2] in WAITING and len(words) <= 2)


def _refused(repeats: Repeats, command: str, known: Repeat) -> Repeats:
    return _remembered(repeats, command, msgspec.structs.replace(known, refusals=known.refusals + 1))


def _remembered(repeats: Repeats, command: str, known: Repeat) -> Repeats:
    """A new mapping with `command` last; the longest unseen one goes when there are too many."""
    kept = {key: value for key, value in repeats.items() if key != command}
    kept[command] = known
    if len(kept) > REMEMBERED_COMMANDS:
        del kept[next(iter(kept))]
    return kept


def _reached(threshold: int | None, attempt: int) -> bool:
    return threshold is not None and attempt >= threshold


def _steps(known: Repeat) -> str:
    listed = ", ".join(str(step) for step in known.steps)
    return f"step {listed}" if len(known.steps) == 1 else f"steps {listed}"


def _shown(command: str) -> str:
    one_line = " ".join(command.split())
    return one_line if len(one_line) <= SHOWN_COMMAND_CHARS else one_line[:SHOWN_COMMAND_CHARS] + "..."
