"""`inspect` on a terminal: a run as lines, one after the other. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from microloop_cli.view.doors import anything_asked, anything_sent, model_section, network_section
from microloop_cli.view.extras import Change, Environment
from microloop_cli.view.figures import plural
from microloop_cli.view.lines import heading, line, one_line
from microloop_cli.view.model import RunView
from microloop_cli.view.sections import findings, limits, notices, outcome, sandbox
from microloop_cli.view.steplist import step_list

CHANGES_SHOWN = 50
_CHANGE_STYLES = {"added": "green", "deleted": "red", "modified": "yellow"}


def run_lines(
    view: RunView, about: Environment, changes: tuple[Change, ...] | None, width: int, show_all: bool = False
) -> Iterator[Text]:
    """The whole run at `width` columns; `show_all` collapses and leaves out nothing.

    changes: None when nothing is recorded about them, as after a crash.
    """
    blank = Text("")
    yield from outcome(view, width)
    yield blank
    yield from sandbox(view, about, width)
    yield blank
    yield from limits(view, about)
    yield blank
    yield from step_list(view, width, show_all)
    if anything_asked(view.model):
        yield blank
        yield from model_section(view, width, show_all)
    if anything_sent(view.network):
        yield blank
        yield from network_section(view.network, width, show_all)
    if view.findings:
        yield blank
        yield from findings(view.findings, width, show_all)
    yield blank
    yield from _changes(changes, width, show_all)
    if view.notices or view.unknown_events or view.unverified_execs:
        yield blank
        yield from notices(view, width)


def _changes(changes: tuple[Change, ...] | None, width: int, show_all: bool) -> Iterator[Text]:
    if not changes:
        yield heading("changed files", "not recorded" if changes is None else "none")
        return
    yield heading("changed files", f"{len(changes):,}")
    shown = changes if show_all else changes[:CHANGES_SHOWN]
    for change in shown:
        kind = one_line(change.kind, 10)
        path = one_line(change.path, max(10, width - 14))
        yield line((f"  {kind:<10}", _CHANGE_STYLES.get(change.kind, "")), (f"  {path}", ""))
    if len(shown) < len(changes):
        yield line((f"  {plural(len(changes) - len(shown), 'file')} more (--all shows them)", "dim"))
