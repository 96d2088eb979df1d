"""A pipeline to its part: views narrowed, what only shortens the output taken off. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from microloop_cli.core.progress.commands.describe import Nested, describe, view_of
from microloop_cli.core.progress.commands.part import Part, together
from microloop_cli.core.progress.commands.place import Place
from microloop_cli.core.progress.commands.redirects import is_outside
from microloop_cli.core.progress.commands.searches import GREPS, grep
from microloop_cli.core.progress.commands.syntax import Command, Stage
from microloop_cli.core.progress.commands.views import WHOLE, View, narrowed
from microloop_cli.core.progress.commands.wrappers import bare, program

Compound = Callable[[Stage, Place], Part]
_SHORTENING = frozenset({"head", "tail"})
_PASSING = frozenset({"cat", "less", "more", "tee", "nl", "column"})
_ORDERING = frozenset({"sort"})


def fold_pipeline(stages: Sequence[Stage], place: Place, nested: Nested, compound: Compound) -> Part:
    """One part for all stages."""
    if len(stages) == 1:
        return _alone(stages[0], place, nested, compound)
    parts, at = _shown_first(stages, place)
    end = _before_filters(stages, at if parts else at + 1)
    for stage in stages[at:end]:
        parts.append(describe(stage, place, nested) if isinstance(stage, Command) else compound(stage, place))
    ordering = bool(parts) and parts[-1].kind in ("list", "search")
    whole = together(" | ".join([part.action for part in parts]), parts)
    for stage in stages[end:]:
        if _name(stage) in _ORDERING and not ordering:
            whole = replace(whole, action=f"{whole.action} | {describe(stage, place, nested).action}"
                            if isinstance(stage, Command) else whole.action)  # fmt: skip
        else:
            whole = _filtered(whole, stage, place)
    if not whole.filtered and any(part.kind == "search" for part in parts[1:]):
        return replace(whole, filtered=True)
    return whole


def _alone(stage: Stage, place: Place, nested: Nested, compound: Compound) -> Part:
    if not isinstance(stage, Command):
        return compound(stage, place)
    view = view_of(stage, place)
    return _part_of(view) if view is not None and view.files else describe(stage, place, nested)


def _shown_first(stages: Sequence[Stage], place: Place) -> tuple[list[Part], int]:
    """The parts of the stages that only show files or lines of them, and how many stages those were."""
    first = stages[0]
    view = view_of(first, place) if isinstance(first, Command) else None
    if view is None or not view.files:
        return [], 0
    at = 1
    while at < len(stages):
        stage = stages[at]
        by = view_of(stage, place) if isinstance(stage, Command) else None
        closer = narrowed(view, by.lines) if by is not None and not by.files else None
        if closer is None:
            break
        view = closer
        at += 1
    if at < len(stages) and view.lines == WHOLE and _is_plain_grep(stages[at]):
        return [grep(_words(stages[at]), place, view.files)], at + 1
    return [_part_of(view)], at


def _part_of(view: View) -> Part:
    return Part(view.action(), "view", "no", view.files)


def _words(stage: Stage) -> list[str]:
    words = bare(stage).words if isinstance(stage, Command) else ()
    return [program(words[0]), *words[1:]] if words else []


def _name(stage: Stage) -> str:
    words = _words(stage)
    return words[0] if words else ""


def _is_plain_grep(stage: Stage) -> bool:
    """A grep of its input: it names no file."""
    if _name(stage) not in GREPS or (isinstance(stage, Command) and stage.redirects and _writes_out(stage)):
        return False
    return not grep(_words(stage), Place("/")).paths


def _writes_out(stage: Command) -> bool:
    return any(
        ">" in redirect.op and redirect.target not in ("1", "2", "/dev/null") for redirect in stage.redirects
    )


def _before_filters(stages: Sequence[Stage], least: int) -> int:
    """Where the run of filters at the end begins."""
    end = len(stages)
    while end > max(least, 0) and _is_filter(stages[end - 1]):
        end -= 1
    return end


def _is_filter(stage: Stage) -> bool:
    words = _words(stage)
    if not words or not isinstance(stage, Command) or _writes_out(stage):
        return False
    name = words[0]
    if name == "tee":
        return True
    operands = [word for word in words[1:] if word[:1] != "-" and not word.isdecimal()]
    if name in _SHORTENING:
        return not operands and not any(word.startswith("+") or word.startswith("-n+") for word in words[1:])
    return (name in _PASSING or (name in _ORDERING and len(words) == 1)) and not operands


def _filtered(part: Part, stage: Stage, place: Place) -> Part:
    words = _words(stage)
    if words[0] == "tee":
        files = tuple([place.path(word) for word in words[1:] if word[:1] != "-"])
        inside = any(not is_outside(file) for file in files)
        kind = "edit" if inside and part.kind not in ("test", "run", "install") else part.kind
        return replace(part, kind=kind, paths=(*part.paths, *files), writes="yes" if inside else part.writes)
    return replace(part, filtered=True) if words[0] in _SHORTENING else part
