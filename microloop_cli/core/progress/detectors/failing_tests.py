"""The same tests failing in the same way: run again without an edit, or through one edit after the other."""

from __future__ import annotations

from microloop_cli.core.progress.detectors.sign import (
    Sign,
    error_words,
    has_telling_error,
    listed,
    ran,
    shown,
    steps_of,
    tests_named,
)
from microloop_cli.core.progress.history import History, Record
from microloop_cli.core.progress.outcomes.build import same_failures

# What failed before the first edit may not be the agent's to mend.
BASELINE_PATIENCE = 2
NOT_REACHED = ("crashed", "none_collected")
# Other options or targets may have been meant to show something else.
OTHER_COMMANDS_PATIENCE = 1


def judge_unedited(history: History, now: Record) -> Sign | None:
    """Runs with an equal failing set while no file changed."""
    if now.outcome is None:
        return None
    runs = [run for run in _unmoved_runs(history, now) if run.epoch == now.epoch]
    if len(runs) < 2:
        return None
    seen = ran(runs)
    steps = steps_of(seen)
    return Sign(
        detector="tests",
        key=f"tests:{now.epoch}:{_set_of(now)}",
        count=len(runs),
        steps=steps,
        evidence=f"{_what(now)} in {len(seen)} runs ({listed(steps)}) "
        "and no file in the workspace has changed in between",
        advice="The tests will say the same until the code changes; read the failure, then edit.",
        confidence=min(0.99, 0.75 + 0.07 * len(runs)),
        patience=0 if all(run.action == now.action for run in runs) else OTHER_COMMANDS_PATIENCE,
    )


def judge_edited(history: History, now: Record) -> Sign | None:
    """Runs with an equal failing set, each after an edit; counted in runs whose state is a new one."""
    if now.outcome is None:
        return None
    runs = _one_per_state(_unmoved_runs(history, now))
    if len(runs) < 2:
        return None
    seen = ran(runs)
    steps = steps_of(seen)
    edits = [edit for edit in history.edits if runs[0].step < edit.step < now.step]
    return Sign(
        detector="tests_edited",
        key=f"tests_edited:{runs[0].step}:{_set_of(now)}",
        count=len(runs),
        steps=steps,
        evidence=f"{_what(now)} since step {steps[0]}, "
        f"through {_edits_named(edits, len(seen) - 1)} ({listed(steps)})",
        advice="These edits do not reach the cause: print or debug what the failing code really does, "
        "or undo them and take another way.",
        confidence=min(0.99, 0.6 + 0.07 * len(runs)),
        patience=BASELINE_PATIENCE if _is_baseline(history, now) else 0,
    )


def _set_of(record: Record) -> str:
    if record.outcome is None:
        return ""
    return record.outcome.failing_set or f"{record.outcome.status}: {record.error}"


def _unmoved_runs(history: History, now: Record) -> list[Record]:
    """Test runs up to now with this failing set, back to one of the same command that came to another."""
    if now.elsewhere or not fails_as_a_whole(now):
        return []
    runs = [now]
    for run in reversed(history.tests):
        if run.elsewhere:
            continue
        if _fail_alike(run, now):
            runs.append(run)
        elif run.action == now.action:
            break
    return runs[::-1]


def fails_as_a_whole(record: Record) -> bool:
    """Tests failed, or none was reached for an error that has a name."""
    outcome = record.outcome
    if outcome is None:
        return False
    return bool(outcome.failing_set) or (outcome.status in NOT_REACHED and has_telling_error(record))


def _fail_alike(run: Record, now: Record) -> bool:
    if run.outcome is None or now.outcome is None:
        return False
    if now.outcome.failing_set:
        return same_failures(run.outcome, now.outcome)
    return run.outcome.status == now.outcome.status and run.error == now.error


def _one_per_state(runs: list[Record]) -> list[Record]:
    """The runs that saw another state of the files than the run before them."""
    return [run for index, run in enumerate(runs) if not index or run.epoch != runs[index - 1].epoch]


def _is_baseline(history: History, now: Record) -> bool:
    outcomes = history.baseline, now.outcome
    return outcomes[0] is not None and outcomes[1] is not None and same_failures(outcomes[0], outcomes[1])


def _what(now: Record) -> str:
    outcome = now.outcome
    if outcome is None or not outcome.failing_set:
        return f"no test has been reached for the same error ({shown(error_words(now))})"
    return "the failing set has been the same " + tests_named(
        (test.id for test in outcome.failed), outcome.failed_count
    )


def _edits_named(edits: list[Record], at_least: int) -> str:
    paths = list(dict.fromkeys(path for edit in edits for path in edit.paths))
    count = max(len(edits), at_least)
    where = f" to {shown(', '.join(paths[:3]))}" if paths else ""
    return f"{count} edit{'' if count == 1 else 's'}{where}"
