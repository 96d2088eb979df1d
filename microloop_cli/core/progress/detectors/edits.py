"""The same edit applied again, accepted or not, and edits that fail in the same way with varying text."""

from __future__ import annotations

from microloop_cli.core.progress.detectors.sign import Sign, listed, ran, shown, steps_of
from microloop_cli.core.progress.history import History, Record

# Farther apart it is another piece of work.
WITHIN_STEPS = 24


def judge_same(history: History, now: Record) -> Sign | None:
    """An equal edit: a file may grow by the same block each time, or nothing happen at all."""
    if now.kind != "edit" or now.result is None:
        return None
    runs = _equal_edits(history, now)
    if len(runs) < 2:
        return None
    seen = ran(runs)
    steps = steps_of(seen)
    changed = any(record.changes_files for record in seen[1:])
    return Sign(
        detector="edit",
        key=f"edit:{runs[0].step}:{now.action}",
        count=len(runs),
        steps=steps,
        evidence=f"the same edit has been made {len(seen)} times ({listed(steps)}): `{shown(now.command)}`"
        + ("" if changed else "; no file changed by the later ones"),
        advice="Look at the file as it is now before you edit it again.",
        confidence=min(0.99, 0.7 + 0.08 * len(runs)),
    )


def judge_refused(history: History, now: Record) -> Sign | None:
    """Edits one after the other that the tool did not accept, for one reason and in one file."""
    if not _is_refused(now):
        return None
    runs = [now]
    for edit in reversed(history.edits):
        if edit.step <= now.step - WITHIN_STEPS or not _is_refused(edit) or edit.error != now.error:
            break
        if edit.paths != now.paths and edit.action != now.action:
            break
        runs.append(edit)
    if len(runs) < 2:
        return None
    runs.reverse()
    seen = ran(runs)
    steps = steps_of(seen)
    reason = now.error.message if now.error is not None else ""
    return Sign(
        detector="edit_error",
        key=f"edit_error:{runs[0].step}",
        count=len(runs),
        steps=steps,
        evidence=f"{len(seen)} edits in a row were not accepted, for the same reason ({listed(steps)}): "
        f"{shown(reason)}",
        advice="Read the lines in question again as they are in the file now, and write the edit from them.",
        confidence=min(0.95, 0.6 + 0.08 * len(runs)),
    )


def _equal_edits(history: History, now: Record) -> list[Record]:
    """This edit and its equals before it, back to where the files were changed in another way."""
    runs = [now]
    after = now
    for record in reversed(history.recent):
        if record.epoch_after != after.epoch or (record.changes_files and record.action != now.action):
            break
        if record.action == now.action:
            runs.append(record)
        after = record
    return runs[::-1]


def _is_refused(record: Record) -> bool:
    return record.kind == "edit" and record.error is not None and record.error.kind == "edit"
