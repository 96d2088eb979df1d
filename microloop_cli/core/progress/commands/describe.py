"""One simple command to its part: which program it is, what it does, and its one spelling. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from microloop_cli.core.progress.commands.git import git
from microloop_cli.core.progress.commands.other_programs import (
    edits_in_place,
    fetch,
    on_files,
    other_program,
    paths_in,
)
from microloop_cli.core.progress.commands.part import Part
from microloop_cli.core.progress.commands.place import Place
from microloop_cli.core.progress.commands.python import is_python, python
from microloop_cli.core.progress.commands.redirects import (
    NO_STREAMS,
    Streams,
    streams,
    with_redirects,
    written_text,
)
from microloop_cli.core.progress.commands.runners import (
    pytest_words,
)
from microloop_cli.core.progress.commands.searches import GREPS, find, find_runs, grep, ls, rg_files
from microloop_cli.core.progress.commands.syntax import Command
from microloop_cli.core.progress.commands.tool_calls import editor_words
from microloop_cli.core.progress.commands.unquote import joined, quoted
from microloop_cli.core.progress.commands.views import VIEWERS, View, read_view
from microloop_cli.core.progress.commands.wrappers import Bare, bare, program
from microloop_cli.core.shells import shell_call

Nested = Callable[[str, Place], Part]
_EDITORS = frozenset({"str_replace_editor", "edit_anthropic", "str_replace_based_edit_tool"})
_COVERAGE_VALUED = frozenset({"--source", "--omit", "--include", "--rcfile"})
_WATCH_VALUED = frozenset({"-n", "--interval"})
_XARGS_VALUED = frozenset({"-I", "-n", "-P", "-d", "-L", "-s", "-a"})
_IN_PLACE = frozenset({"sed", "perl", "ruby", "awk", "gawk"})
_HERE_ON_PATH = frozenset({".", "./", "${PWD}", "$(pwd)", "`pwd`", ".:${PYTHONPATH}", "${PWD}:${PYTHONPATH}"})


def describe(command: Command, place: Place, nested: Nested) -> Part:
    """The command's part; `nested` folds a script that stands in its words."""
    bared = bare(command)
    flows = streams(command.redirects, place)
    if not bared.words:
        return _assigned(bared, flows)
    part = _shell(bared.words, flows, place, nested)
    if part is None:
        part = with_redirects(*_program(bared.words, flows, place, nested))
        if flows.outputs and part.action.startswith("git show ") and ":" in part.action:
            part = replace(part, elsewhere=True)
    return _surrounded(part, bared)


def view_of(command: Command, place: Place) -> View | None:
    """The view when a command does nothing but show files, or what it is given (no files)."""
    bared = bare(command)
    if not bared.words or program(bared.words[0]) not in VIEWERS:
        return None
    flows = streams(command.redirects, place)
    if flows.outputs or flows.text is not None:
        return None
    view = read_view((program(bared.words[0]), *bared.words[1:]))
    if view is None:
        return None
    files = tuple([place.path(file) for file in view.files if file != "-"])
    return replace(view, files=files or ((flows.source,) if flows.source else ()))


def _assigned(bared: Bare, flows: Streams) -> Part:
    text = " ".join([f"{name}={quoted(value)}" for name, value in bared.assignments])
    return with_redirects(Part(text, "other", "no"), flows)


def _surrounded(part: Part, bared: Bare) -> Part:
    around = list(bared.launcher)
    for name, value in bared.assignments:
        if not (name == "PYTHONPATH" and part.kind == "test" and value in _HERE_ON_PATH):
            around.append(f"{name}={quoted(value)}")
    return replace(part, action=f"{' '.join(around)} {part.action}") if around else part


def _shell(words: Sequence[str], flows: Streams, place: Place, nested: Nested) -> Part | None:
    """A script in the words (`bash -c`, `eval`) or on stdin of a shell, folded as if it stood there."""
    if words[0] == "eval":
        return with_redirects(nested(" ".join(words[1:]), place), flows)
    # The names of all shells have it in them.
    call = shell_call(words) if "sh" in words[0] or "busybox" in words[0] else None
    if call is None or len(call.arguments) > 1:
        return None
    if call.command is not None:
        return with_redirects(nested(call.command, place), flows)
    if call.reads_stdin and call.script is None and flows.text is not None:
        return with_redirects(nested(flows.text, place), replace(flows, text=None))
    return None


def _program(words: Sequence[str], flows: Streams, place: Place, nested: Nested) -> tuple[Part, Streams]:
    """The part without its redirects, and those that are not yet in it."""
    if words[0] == "coverage" and words[1:2] in (["run"], ("run",)):
        words = ["python", *_after_options(words[2:], _COVERAGE_VALUED)]
    if is_python(words[0]):
        found = python(list(words), flows.text, place)
        if isinstance(found, Part):
            return found, replace(flows, text=None)
        words = found
    name = program(words[0])
    if name in ("cat", "tee") and flows.text is not None:
        part = _heredoc(name, words, flows, place)
        if part is not None:
            return part, NO_STREAMS
    if flows.source and (name in GREPS or name in VIEWERS):
        words, flows = [*words, flows.source], replace(flows, source="")
    known = _known(name, [name, *words[1:]], place, nested)
    return (known if known is not None else other_program(name, words, place)), flows


def _after_options(words: Sequence[str], valued: frozenset[str]) -> Sequence[str]:
    """From the first word that is no option; `-m` ends them too."""
    at = 0
    while at < len(words) and words[at][:1] == "-" and words[at] != "-m":
        at += 2 if words[at] in valued else 1
    return words[at:]


def _heredoc(name: str, words: Sequence[str], flows: Streams, place: Place) -> Part | None:
    """A heredoc written to one file."""
    operands = [place.path(word) for word in words[1:] if word[:1] != "-"]
    if name == "tee" and len(operands) == 1 and not flows.outputs:
        return written_text(operands[0], flows.text or "", "-a" in words)
    if name == "cat" and not operands and len(flows.outputs) == 1:
        path, appended = flows.outputs[0]
        return written_text(path, flows.text or "", appended)
    return None


def _known(name: str, words: list[str], place: Place, nested: Nested) -> Part | None:
    if name in GREPS:
        return rg_files(words, place) if "--files" in words else grep(words, place)
    if name == "find":
        return _find(words, place, nested)
    if name == "ls":
        return ls(words, place)
    if name == "git":
        return git(words, place)
    if name == "pytest":
        run = pytest_words([place.argument(word) for word in words[1:]])
        return Part(joined(run) + place.suffix(), "test", "no", paths_in(run[1:], place))
    if name == "xargs":
        return _xargs(words, place, nested)
    if name in _IN_PLACE and edits_in_place(name, words):
        return on_files(words, place, "edit", "yes")
    if name in VIEWERS:
        return on_files(words, place, "view", "no")
    if name in ("curl", "wget"):
        return fetch(words, place)
    if name == "watch" and len(words) > 1:
        return replace(nested(joined(_after_options(words[1:], _WATCH_VALUED)), place), polls=True)
    if name in _EDITORS:
        return editor_words(words, place)
    if name == "sleep" or name == "wait":
        return Part(joined(words), "wait", "no", polls=True)
    return None


def _find(words: list[str], place: Place, nested: Nested) -> Part:
    part = find(words, place)
    runs = find_runs(words)
    if not runs:
        return part
    inner = nested(joined(runs), place)
    return replace(part, kind=inner.kind if inner.writes != "no" else "search", writes=inner.writes)


def _xargs(words: list[str], place: Place, nested: Nested) -> Part:
    started = _after_options(words[1:], _XARGS_VALUED)
    if not started:
        return Part("xargs", "other", "no")
    inner = nested(joined(started), place)
    return replace(inner, action=f"xargs {inner.action}")
