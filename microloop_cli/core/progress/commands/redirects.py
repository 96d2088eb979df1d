"""Where a command's input comes from and its output goes, and what that means for files. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from microloop_cli.core.progress.commands.part import Part
from microloop_cli.core.progress.commands.place import Place
from microloop_cli.core.progress.commands.syntax import Redirect
from microloop_cli.core.progress.commands.unquote import quoted

_OUTPUTS = frozenset({">", ">>", ">|", "&>", "&>>", ">&"})
_OUTSIDE = ("/dev/", "/tmp/", "/var/tmp/", "/proc/", "${TMPDIR}", "$(mktemp")


class Streams(msgspec.Struct, frozen=True):
    """source: the file read as input; text: a heredoc's or here-string's; outputs: (file, appended).

    hidden: what the program says on stdout is thrown away.
    """

    source: str = ""
    text: str | None = None
    outputs: tuple[tuple[str, bool], ...] = ()
    hidden: bool = False


NO_STREAMS = Streams()


def streams(redirects: Sequence[Redirect], place: Place) -> Streams:
    """What the redirects come to; copies of file descriptors and /dev/null do not count."""
    if not redirects:
        return NO_STREAMS
    source, text, outputs, hidden = "", None, [], False
    for redirect in redirects:
        op, target = redirect.op, redirect.target
        if op == "<<" or op == "<<<":
            text = target
        elif op == "<" and target != "/dev/null":
            source = place.path(target)
        elif op in _OUTPUTS and not (target.isdecimal() or target in ("-", "")):
            path = place.path(target)
            if not path.startswith("/dev/"):
                outputs.append((path, ">>" in op))
            hidden = hidden or (path == "/dev/null" and (redirect.fd in ("", "1") or "&" in op))
    return Streams(source, text, tuple(outputs), hidden)


def digest_of(text: str) -> str:
    """16 hex digits for a text that is too long to stand in an action."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def is_outside(path: str) -> bool:
    """Not a file of the workspace: a device, or among the temporary files."""
    return path.startswith(_OUTSIDE)


def written_text(path: str, text: str, appended: bool) -> Part:
    """A file that gets this very text, whichever way."""
    action = f"{'append' if appended else 'write'} {quoted(path)} <{digest_of(text.rstrip())}>"
    return Part(action, "edit", "no" if is_outside(path) else "yes", (path,))


def with_redirects(part: Part, flows: Streams) -> Part:
    """The part with its input and output in the action, and what writing does to its kind.

    A test run that writes its output to a file is the same run, not shown.
    """
    if flows is NO_STREAMS or flows == NO_STREAMS:
        return part
    action = part.action
    if flows.hidden:
        part = replace(part, filtered=True)
    if flows.source:
        action += f" < {quoted(flows.source)}"
    if flows.text is not None:
        action += f" <{digest_of(flows.text.rstrip())}>"
    if not flows.outputs:
        return replace(part, action=action)
    inside = [path for path, _ in flows.outputs if not is_outside(path)]
    paths = (*part.paths, *[path for path, _ in flows.outputs])
    if part.kind == "test":
        return replace(
            part, action=action, filtered=True, paths=paths, writes="yes" if inside else part.writes
        )
    for path, appended in flows.outputs:
        action += f" {'>>' if appended else '>'} {quoted(path)}"
    kind = part.kind if part.kind in ("run", "install") or not inside else "edit"
    return replace(part, action=action, kind=kind, paths=paths, writes="yes" if inside else part.writes)
