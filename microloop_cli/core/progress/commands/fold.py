"""A script to one part: what stands around it goes, `cd` moves the paths, loops that wait are polls. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from microloop_cli.core.progress.commands.describe import describe
from microloop_cli.core.progress.commands.heredocs import closed
from microloop_cli.core.progress.commands.part import Part, together
from microloop_cli.core.progress.commands.pipes import fold_pipeline
from microloop_cli.core.progress.commands.place import Place
from microloop_cli.core.progress.commands.plain import script_of
from microloop_cli.core.progress.commands.programs import BANNERS, NOISE, NOISE_VARIABLES, WAITING
from microloop_cli.core.progress.commands.redirects import streams, with_redirects
from microloop_cli.core.progress.commands.syntax import Command, Group, Item, Loop, Script, Stage
from microloop_cli.core.progress.commands.unquote import joined
from microloop_cli.core.progress.commands.wrappers import bare

MAX_NESTED = 4
_SWITCHES = frozenset({"activate", "use", "shell", "init", "local", "deactivate", "hook"})
_SWITCHERS = frozenset({"conda", "mamba", "nvm", "pyenv"})


class Folder:
    """Folds scripts, those in words (`bash -c '...'`) too, as deep as `MAX_NESTED`."""

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth

    def script(self, script: Script, place: Place) -> Part:
        """All items in one part, each joined to the one before by `&&` (or `;`) or by `||`."""
        if len(script.items) == 1 and not _moves_or_is_around(script.items[0]):
            return self._single(script.items[0], place)
        parts: list[Part] = []
        action = ""
        polls = False
        around: list[Part] = []
        for item in script.items:
            words = _only_words(item)
            if words[:1] in (("cd",), ("pushd",)) and len(words) < 4:
                target = words[-1] if len(words) > 1 else "~"
                place = place.cd(target)
                around.append(Part(joined(["cd", place.cwd or "."]), "other", "no"))
            elif _is_around(item, words):
                polls = polls or words[:1] == ("sleep",)
                around.append(self._single(item, place))
            else:
                part = self._single(item, place)
                if parts:
                    action += " || " if item.joiner == "||" else " && "
                action += part.action
                parts.append(part)
        if not parts:
            return _only_around(around, polls)
        whole = together(action, parts)
        return replace(whole, polls=True) if polls else whole

    def nested(self, text: str, place: Place) -> Part:
        """A script that stands in a word."""
        if self._depth >= MAX_NESTED:
            return Part(" ".join(text.split()), "run", "perhaps")
        return Folder(self._depth + 1).text(text, place)

    def text(self, text: str, place: Place) -> Part:
        """A script's text; one that cannot be parsed is its own action, with the effects that can be seen."""
        script = script_of(text)
        if script.broken and "<<" in text:
            script = script_of(closed(text))
        part = self.script(script, place)
        if not script.broken:
            return part
        writes = "perhaps" if part.writes == "no" else part.writes
        return replace(part, action=" ".join(text.split()), writes=writes)

    def _single(self, item: Item, place: Place) -> Part:
        return fold_pipeline(item.stages, place, self.nested, self.compound)

    def compound(self, stage: Stage, place: Place) -> Part:
        """A group, a loop, or what is taken as it stands."""
        if isinstance(stage, Command):
            return describe(stage, place, self.nested)
        flows = streams(stage.redirects, place)
        if isinstance(stage, Group):
            return with_redirects(self.script(stage.body, place), flows)
        if isinstance(stage, Loop):
            return with_redirects(self._loop(stage, place), flows)
        inside = self.script(stage.inside, place)
        return with_redirects(replace(inside, action=stage.text), flows)

    def _loop(self, loop: Loop, place: Place) -> Part:
        body = self.script(loop.body, place)
        if loop.variable:
            used = f"{{{loop.variable}}}" in body.action or f"${loop.variable}" in body.action
            return replace(body, action=f"{loop.head} do {body.action}") if used else body
        condition = self.script(loop.condition, place)
        parts = [part for part in (condition, body) if part.kind != "wait"]
        if not parts:
            return replace(body, polls=True)
        whole = together(" do ".join([part.action for part in parts]), parts)
        return replace(whole, polls=condition.polls or body.polls)


def _moves_or_is_around(item: Item) -> bool:
    words = _only_words(item)
    return words[:1] in (("cd",), ("pushd",)) or _is_around(item, words)


def _only_words(item: Item) -> tuple[str, ...]:
    """The words of an item that is one simple command; none when it is more."""
    if len(item.stages) != 1 or not isinstance(item.stages[0], Command):
        return ()
    return bare(item.stages[0]).words


def _is_around(item: Item, words: Sequence[str]) -> bool:
    """Said for the shell's sake or for show, so not what the command is about."""
    command = item.stages[0]
    if len(item.stages) != 1 or not isinstance(command, Command):
        return False
    if not words:
        return all(name in NOISE_VARIABLES or name.startswith("__") for name, _ in command.assignments)
    name = words[0]
    if name in _SWITCHERS:
        return len(words) > 1 and words[1] in _SWITCHES
    if name == "export":
        return all(word.partition("=")[0] in NOISE_VARIABLES for word in words[1:])
    if name in BANNERS:
        writes = any(">" in each.op and each.fd != "2" and each.target != "2" for each in command.redirects)
        return name == "pwd" or (not writes and not _tells_something(words))
    return name in NOISE or name in WAITING


def _tells_something(words: Sequence[str]) -> bool:
    """Whether what echo says is known only when it is run; an exit code does not count."""
    return any(("$" in word.replace("${?}", "") or "`" in word) for word in words)


def _only_around(around: list[Part], polls: bool) -> Part:
    if polls or not around:
        return Part("sleep" if polls else "", "wait", "no", polls=polls)
    last = around[-1]
    return replace(last, kind="wait", writes="no") if last.action in WAITING else last
