"""The parts of `inspect` about the run as a whole: how it ended, sandbox, limits, findings, notices. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rich.text import Text

from microloop_cli.view.dollars import NOTHING, dollars
from microloop_cli.view.extras import Environment
from microloop_cli.view.figures import plural, seconds, signal_name, size
from microloop_cli.view.limitrows import LimitRow, limit_rows, share_used
from microloop_cli.view.lines import LABEL_WIDTH, argv_text, heading, labelled, line, one_line, paragraph
from microloop_cli.view.model import CRASHED, FindingView, RunView

FINDINGS_SHOWN = 20
EVIDENCE_SHOWN = 12
_OUTCOMES = {
    "ended": "ended by itself",
    "no_progress": "stopped: no progress",
    "step_limit": "stopped: step limit",
    "policy_stop": "stopped by policy",
    "cost_limit": "stopped: cost or token limit",
    "time_limit": "stopped: time limit",
    "interrupted": "interrupted",
    "failed": "failed",
    CRASHED: "no end recorded",
}
_ALWAYS_TOLD = {"steps", "wall_seconds", "idle_seconds"}
_LIMITS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "steps": ("steps", lambda value: f"{value:,.0f}"),
    "wall_seconds": ("time", seconds),
    "idle_seconds": ("idle", seconds),
    "cost_usd": ("cost", lambda value: dollars(value or NOTHING)),
    "tokens": ("tokens", lambda value: f"{value:,.0f}"),
    "model_calls": ("calls", lambda value: f"{value:,.0f}"),
}
_ANSWERS = {"record": "recorded", "nudge": "nudged", "refuse": "refused", "stop": "run stopped"}
_ANSWER_STYLES = {"nudge": "yellow", "refuse": "red", "stop": "bold red"}


def outcome(view: RunView, width: int) -> Iterator[Text]:
    """What ran, how it ended and why."""
    good = view.outcome == "ended" and view.exit_code == 0
    code = "" if view.exit_code is None else f", exit {view.exit_code}"
    ended = _OUTCOMES.get(view.outcome, view.outcome)
    yield line(
        (f"run {one_line(view.run_id, 40) or '?'}", "bold"), (f"  {ended}{code}", "green" if good else "red")
    )
    yield from labelled("command", argv_text(view.argv), width)
    yield from labelled("workspace", view.workspace, width)
    yield from labelled("why", view.stop_reason, width)
    yield from labelled("when", f"{view.started_at or '?'}, {seconds(view.used.wall_seconds)} long", width)
    if view.interruptions:
        names = ", ".join(signal_name(number) for number in view.interruptions[:10])
        yield from labelled("interrupted", names, width)


def sandbox(view: RunView, about: Environment, width: int) -> Iterator[Text]:
    """The backend, what it enforced, and plainly what it did not."""
    note = f"guard {view.guard_version}, kernel {view.kernel}" if view.guard_version else "never became ready"
    yield line(
        ("sandbox ", "bold"), (one_line(view.backend, 20), "bold"), (f"  {one_line(note, width)}", "dim")
    )
    enforced, missing = about.enforcement.enforced, about.enforcement.missing
    if not enforced and not missing:
        yield from labelled("enforced", "not recorded", width)
    if enforced:
        yield from labelled("enforced", ", ".join(enforced), width, "green")
    for boundary, why in missing.items():
        yield from labelled("NOT", f"{boundary}: {why}", width, "yellow")


def limits(view: RunView, about: Environment) -> Iterator[Text]:
    """What was used, of what was allowed. What models cost is told where they are, unless it was limited."""
    used = view.used
    yield heading("limits")
    for row in limit_rows(view, about):
        if row.allowed is not None or row.name in _ALWAYS_TOLD:
            yield _limit(row)
    if used.samples:
        peak = f"{size(used.peak_rss_bytes)} memory and {plural(used.peak_processes, 'process')} at most"
        yield line((f"  {'used':<{LABEL_WIDTH}}", "dim"), (f"{seconds(used.cpu_seconds)} CPU, {peak}", ""))
    kinds = ", ".join(f"{count:,} {one_line(kind, 20)}" for kind, count in sorted(view.execs_by_kind.items()))
    yield line((f"  {'programs':<{LABEL_WIDTH}}", "dim"), (f"{view.execs:,} started ({kinds})", ""))


def findings(found: tuple[FindingView, ...], width: int, show_all: bool) -> Iterator[Text]:
    """Each finding: what was done about it, its evidence, its text; equal ones in a row are told once."""
    yield heading("findings", f"{len(found):,}")
    groups = [[one] for one in found] if show_all else _equal_in_a_row(found)
    left_out = 0 if show_all else max(0, len(groups) - FINDINGS_SHOWN)
    for number, group in enumerate(groups):
        if left_out and number == FINDINGS_SHOWN - 1:
            yield line((f"  ... {plural(left_out, 'finding')} left out (--all shows them) ...", "dim"))
        if not left_out or number < FINDINGS_SHOWN - 1 or number == len(groups) - 1:
            yield from finding_lines(group[0], width, more=len(group) - 1, last=group[-1])


def _equal_in_a_row(found: tuple[FindingView, ...]) -> list[list[FindingView]]:
    groups: list[list[FindingView]] = []
    for one in found:
        if groups and _sameness(groups[-1][-1]) == _sameness(one):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _sameness(one: FindingView) -> tuple[str, str, str]:
    return one.finding.detector, one.finding.answer, one.finding.text


def finding_lines(
    one: FindingView, width: int, more: int = 0, last: FindingView | None = None
) -> Iterator[Text]:
    """One finding; `more` equal ones came right after it, the last of them `last`."""
    finding = one.finding
    answer = _ANSWERS.get(finding.answer, finding.answer)
    yield line(
        (f"  {one_line(finding.detector, 20)}: ", ""),
        (answer, _ANSWER_STYLES.get(finding.answer, "")),
        (f" at {seconds(one.at_seconds)}, {_evidence(finding.steps)}", "dim"),
    )
    yield from paragraph(finding.text, width, "    ")
    if more and last is not None:
        until = f", the last at step {last.finding.steps[-1]}" if last.finding.steps else ""
        yield line((f"    and {more:,} more like it{until}", "dim"))


def notices(view: RunView, width: int) -> Iterator[Text]:
    """What was not as it should be."""
    yield heading("notices")
    for notice in view.notices:
        yield from labelled(seconds(notice.at_seconds), notice.text, width, "yellow")
    if view.notices_omitted:
        yield line((f"  {plural(view.notices_omitted, 'notice')} more", "dim"))
    if view.unverified_execs:
        text = "started while being traced: their arguments could have changed after they were read"
        yield from labelled("", f"{plural(view.unverified_execs, 'program')} {text}", width, "yellow")
    if view.unknown_events:
        text = "of a kind this microloop does not know are left out"
        yield from labelled("", f"{plural(view.unknown_events, 'event')} {text}", width, "yellow")


def _limit(row: LimitRow) -> Text:
    name, show = _LIMITS[row.name]
    label = (f"  {name:<{LABEL_WIDTH}}", "dim")
    if row.allowed is None:
        return line(label, (show(row.used), ""), (" (no limit)", "dim"))
    share = share_used(row)
    style = "red" if share >= 1 else "yellow" if share >= 0.8 else ""
    return line(label, (f"{show(row.used)} of {show(row.allowed)}", style), (f"  {share:.0%}", "dim"))


def _evidence(steps: tuple[int, ...]) -> str:
    if not steps:
        return "no steps named"
    shown = ", ".join(str(n) for n in steps[:EVIDENCE_SHOWN])
    more = f" and {len(steps) - EVIDENCE_SHOWN:,} more" if len(steps) > EVIDENCE_SHOWN else ""
    return f"step{'' if len(steps) == 1 else 's'} {shown}{more}"
