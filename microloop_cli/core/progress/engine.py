"""The progress engine: a fold over steps. Each is judged twice, before it runs and when its result is known.

Before: what it would be if it came to the result it had last time; only this can be refused. After: what
it was; only this can be nudged, in its own output. No I/O, no clock.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from microloop_cli.core.progress.attempt import Attempt, record_of
from microloop_cli.core.progress.detectors.registry import DETECTORS
from microloop_cli.core.progress.detectors.sign import LADDERS, Sign
from microloop_cli.core.progress.gains import is_verified_progress
from microloop_cli.core.progress.history import History, Record
from microloop_cli.core.progress.ladder import Answer, Found, found, ladder_of, reaches
from microloop_cli.core.progress.signals import Signals
from microloop_cli.core.settings import Progress

REMEMBERED_FINDINGS = 64
# A second sign so soon after a nudge is about the same trouble.
SAME_TROUBLE_STEPS = 4
# What a bug in a detector raises: it has no I/O, so nothing else can come.
BUGS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class Given(msgspec.Struct, frozen=True):
    """A finding the agent was told of: when, how often its pattern was refused since, in which state."""

    key: str
    step: int
    refusals: int = 0
    refused_in: str | None = None


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """All that is remembered between steps; bounded."""

    history: History = History()
    given: tuple[Given, ...] = ()


EMPTY = Memory()


class DetectorBug(msgspec.Struct, frozen=True, kw_only=True):
    """A detector raised: our bug, and no statement about the run."""

    detector: str
    step: int
    error: str


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """`finding` is what is to be done about the step, if anything."""

    memory: Memory
    finding: Found | None = None
    bugs: tuple[DetectorBug, ...] = ()


def attempted(memory: Memory, rules: Progress, attempt: Attempt) -> Judged:
    """Judge a step before it runs: a finding is answered `refuse` or `stop`.

    As long as the agent was told of nothing, nothing can be refused, and no detector is asked.
    """
    foreseen = _foreseen(memory.history, attempt)
    if foreseen is None or rules.answers == "record" or attempt.meaning.kind == "message":
        return Judged(memory=memory)
    if not memory.given and not _refuses_untold(rules):
        return Judged(memory=memory)
    signs, bugs = _signs(memory.history, foreseen)
    for sign, answer in _due_before(memory, rules, signs, attempt.epoch):
        given = _given(memory, sign) or Given(sign.key, attempt.step)
        finding = found(sign, answer, attempt.step, refusals=given.refusals)
        given = replace(given, refusals=given.refusals + 1, refused_in=attempt.epoch)
        history = memory.history.with_step(replace(foreseen, epoch_after=attempt.epoch))
        return Judged(
            memory=Memory(history=history, given=_remembered(memory.given, given)), finding=finding, bugs=bugs
        )
    return Judged(memory=memory, bugs=bugs)


def _refuses_untold(rules: Progress) -> bool:
    """Whether anything can be refused of which the agent was not told before."""
    return any(getattr(rules, name).nudge is None for name in LADDERS)


def finished(
    memory: Memory,
    rules: Progress,
    attempt: Attempt,
    *,
    epoch: str,
    signals: Signals | None,
    exit_code: int | None,
) -> Judged:
    """Judge a step by its result: a finding is answered `nudge`, `record`, or, when it could not be refused
    before it ran, `stop`. `epoch`: the files after it; `signals`: None when its output was not seen."""
    seen = _seen(memory, attempt, epoch, signals, exit_code)
    memory, finding = _answer(seen.memory, rules, seen.signs, seen.now)
    return Judged(memory=memory, finding=finding, bugs=seen.bugs)


def returned(
    memory: Memory,
    rules: Progress,
    attempt: Attempt,
    *,
    epoch: str,
    signals: Signals | None,
    exit_code: int | None,
) -> Judged:
    """Judge what was done already, before the model sees its result: both questions at once.

    At the counts at which a step is refused before it runs, the result is kept back (`refuse`); else as
    `finished`. Nothing is foreseen: a result that is another one after all is no repeat.
    """
    was_run = _foreseen(memory.history, attempt) is not None
    seen = _seen(memory, attempt, epoch, signals, exit_code)
    if was_run and rules.answers == "act" and attempt.meaning.kind != "message":
        for sign, answer in _due_before(replace(memory, given=seen.given), rules, seen.signs, attempt.epoch):
            given = _given(seen.memory, sign) or Given(sign.key, attempt.step)
            said = found(sign, answer, attempt.step, refusals=given.refusals, has_run=True)
            given = replace(given, refusals=given.refusals + 1, refused_in=epoch)
            kept = replace(seen.memory, given=_remembered(seen.memory.given, given))
            return Judged(memory=kept, finding=said, bugs=seen.bugs)
    memory, finding = _answer(seen.memory, rules, seen.signs, seen.now)
    return Judged(memory=memory, finding=finding, bugs=seen.bugs)


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A step with its result, and the memory with it in; `given` as it was before."""

    memory: Memory
    now: Record
    given: tuple[Given, ...]
    signs: list[Sign]
    bugs: tuple[DetectorBug, ...]


def _seen(
    memory: Memory, attempt: Attempt, epoch: str, signals: Signals | None, exit_code: int | None
) -> _Seen:
    history = memory.history.without(attempt.step)
    now = record_of(attempt, epoch, signals, exit_code)
    given = memory.given
    if is_verified_progress(history, now):
        history, given = history.cleared(), ()
    signs, bugs = _signs(history, now)
    memory = Memory(history=history.with_step(now), given=_rearmed(given, signs, epoch))
    return _Seen(memory=memory, now=now, given=given, signs=signs, bugs=bugs)


def may_be_nudged(memory: Memory, rules: Progress, attempt: Attempt) -> bool:
    """Whether a finding could come of this step's result: only then is its end worth holding."""
    if rules.answers == "record" or attempt.meaning.kind == "wait":
        return False
    recent = memory.history.recent
    before = {"test": memory.history.tests, "edit": memory.history.edits}
    if before.get(attempt.meaning.kind) or (recent and recent[-1].failed):
        return True
    if memory.history.last_of(attempt.meaning.action) is not None:
        return True
    return rules.stale.nudge is not None and memory.history.stale_steps + 1 >= rules.stale.nudge


def _foreseen(history: History, attempt: Attempt) -> Record | None:
    """The step with the result it had last time; None when it was not run lately."""
    last = history.last_of(attempt.meaning.action)
    if last is None or attempt.meaning.kind == "wait":
        return None
    after = f"{attempt.epoch}+{attempt.step}" if last.changes_files else attempt.epoch
    return replace(
        last,
        step=attempt.step,
        command=attempt.command,
        epoch=attempt.epoch,
        epoch_after=after,
        new_lines=0,
        refused=True,
    )


def _signs(history: History, now: Record) -> tuple[list[Sign], tuple[DetectorBug, ...]]:
    if now.is_waiting:
        return [], ()
    signs: list[Sign] = []
    bugs: tuple[DetectorBug, ...] = ()
    for name, judge in DETECTORS:
        try:
            sign = judge(history, now)
        except BUGS as error:
            bugs = (
                *bugs,
                DetectorBug(detector=name, step=now.step, error=f"{type(error).__name__}: {error}"),
            )
            continue
        if sign is not None:
            signs.append(sign)
    return signs, bugs


def _due_before(memory: Memory, rules: Progress, signs: list[Sign], epoch: str) -> list[tuple[Sign, Answer]]:
    """What is due for a step that has not run, stops first. Nothing is refused that was not nudged before."""
    due: list[tuple[Sign, Answer]] = []
    for sign in signs:
        ladder, given = ladder_of(rules, sign), _given(memory, sign)
        if given is None and ladder.nudge is not None:
            continue
        if reaches(ladder.stop, sign):
            due.insert(0, (sign, "stop"))
        elif reaches(ladder.refuse, sign) and (given is None or given.refused_in in (None, epoch)):
            due.append((sign, "refuse"))
    return due


def _answer(memory: Memory, rules: Progress, signs: list[Sign], now: Record) -> tuple[Memory, Found | None]:
    """The first sign that is due speaks; the others of this moment are the same trouble and keep silent."""
    if not signs:
        return memory, None
    due = [sign for sign in signs if reaches(ladder_of(rules, sign).nudge, sign)]
    new = [sign for sign in due if _given(memory, sign) is None]
    for sign in due:
        if sign not in new and rules.answers == "act" and reaches(ladder_of(rules, sign).stop, sign):
            return memory, found(sign, "stop", now.step)
    told = given = memory.given
    for sign in new:
        given = _remembered(given, Given(sign.key, now.step))
    memory = replace(memory, given=given)
    telling = [sign for sign in new if not _was_told_lately(told, sign, now)]
    if not telling:
        return memory, None
    return memory, found(telling[0], "nudge" if rules.answers == "act" else "record", now.step)


def _was_told_lately(told: tuple[Given, ...], sign: Sign, now: Record) -> bool:
    """A pattern that began before a nudge of a moment ago is what that nudge was about."""
    return any(sign.steps[0] <= given.step >= now.step - SAME_TROUBLE_STEPS for given in told)


def _given(memory: Memory, sign: Sign) -> Given | None:
    return next((given for given in memory.given if given.key == sign.key), None)


def _remembered(known: tuple[Given, ...], given: Given) -> tuple[Given, ...]:
    kept = tuple(one for one in known if one.key != given.key)
    return (*kept[-(REMEMBERED_FINDINGS - 1) :], given)


def _rearmed(known: tuple[Given, ...], signs: list[Sign], epoch: str) -> tuple[Given, ...]:
    """A pattern that goes on although a file changed may be refused again."""
    if not signs:
        return known
    keys = {sign.key for sign in signs}
    return tuple(
        replace(given, refused_in=None)
        if given.key in keys and given.refused_in not in (None, epoch)
        else given
        for given in known
    )
