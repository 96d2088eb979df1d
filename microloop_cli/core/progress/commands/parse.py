"""A shell script's text to its small tree, by tree-sitter-bash; never raises, whatever the text."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from microloop_cli.core.progress.commands.heredocs import cut, restored
from microloop_cli.core.progress.commands.syntax import (
    EMPTY,
    Command,
    Group,
    Item,
    Loop,
    Opaque,
    Redirect,
    Script,
    Stage,
)
from microloop_cli.core.progress.commands.unquote import collapsed, word_of

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

MAX_DEPTH = 24
MAX_ITEMS = 512
MAX_SHELL_CHARS = 8_192
COSTLY_CHARS = 1_024
MAX_COSTLY_SIGNS = 400
_COSTLY = "|<>(){}\0"
# tree-sitter-bash 0.25 asks C's isalpha about any code point, which ends the process for high ones (`{`
# before U+10FFFF). To the grammar they are letters; the words are taken from the text itself.
_AS_LETTERS = bytes(range(128)) + b"x" * 128
_REDIRECTS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})
_FILLERS = frozenset(
    {"comment", "do", "done", "{", "}", "(", ")", "then", "fi", "else", "((", "))"}
    | {"heredoc_body", "heredoc_end"}
)
_JOINERS = {"&&": "&&", "||": "||", ";": ";", "\n": ";", ";;": ";", "&": "&"}
_LOOPS = frozenset({"while_statement", "for_statement", "c_style_for_statement"})
_BLOCKS = frozenset({"subshell", "compound_statement"})


@functools.cache
def _parser() -> Parser:
    """Made at the first command and not at the import, which takes 25 ms."""
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def parse(text: str) -> Script:
    """The script; `broken` when some of it is no shell as far as the grammar knows, or too deep or long.

    Of one that is too long only the beginning is read, for what it does.
    """
    shell, bodies = cut(text) if "<<" in text else (text, [])
    if is_costly(shell):
        return replace(parse(shell[:COSTLY_CHARS]), broken=True)
    source = shell.encode("utf-8", "replace")
    root = _parser().parse(source.translate(_AS_LETTERS)).root_node
    reader = _Reader(source, bodies)
    script = reader.block(root, 0)
    return replace(script, broken=True) if root.has_error or reader.left_out else script


def is_costly(shell: str) -> bool:
    """Longer than commands are, or with so many signs that reading around an error takes their square."""
    if len(shell) <= COSTLY_CHARS:
        return False
    return len(shell) > MAX_SHELL_CHARS or sum(map(shell.count, _COSTLY)) > MAX_COSTLY_SIGNS


@dataclass(slots=True)
class _Building:
    """An item while it is read: what follows may still add stages and redirects to it."""

    joiner: str
    stages: list[Stage] = field(default_factory=list)
    background: bool = False


class _Reader:
    def __init__(self, source: bytes, bodies: list[str]) -> None:
        self._source = source
        self._bodies = bodies
        self.left_out = False

    def _text(self, node: Node) -> str:
        text = self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")
        return restored(text, self._bodies) if self._bodies else text

    def _word(self, node: Node) -> str:
        word = word_of(node, self._source)
        return restored(word, self._bodies) if self._bodies else word

    def block(self, node: Node, depth: int) -> Script:
        """All statements of a node that holds some."""
        items: list[_Building] = []
        if depth > MAX_DEPTH:
            self.left_out = True
            return EMPTY
        self._statements(node.children, items, depth)
        return Script(tuple([Item(i.joiner, tuple(i.stages), i.background) for i in items if i.stages]))

    def _statements(self, nodes: list[Node], items: list[_Building], depth: int) -> None:
        joiner = ";"
        for child in nodes:
            kind = child.type
            if kind in _JOINERS:
                joiner = _JOINERS[kind]
                if joiner == "&":
                    joiner = ";"
                    if items:
                        items[-1].background = True
            elif kind not in _FILLERS:
                if len(items) >= MAX_ITEMS:
                    self.left_out = True
                    return
                self._statement(child, joiner, items, depth)
                joiner = ";"

    def _statement(self, node: Node, joiner: str, items: list[_Building], depth: int) -> None:
        kind = node.type
        if depth > MAX_DEPTH:
            items.append(_Building(joiner, [Opaque(collapsed(self._text(node)), EMPTY)]))
        elif kind == "list":
            self._list(node, joiner, items, depth)
        elif kind == "redirected_statement":
            self._redirected(node, joiner, items, depth)
        elif kind == "pipeline":
            self._pipeline(node, joiner, items, depth)
        elif kind == "negated_command" and node.child_count > 1:
            self._statement(node.children[1], joiner, items, depth + 1)
        else:
            items.append(_Building(joiner, [self._stage(node, items, depth)]))

    def _list(self, node: Node, joiner: str, items: list[_Building], depth: int) -> None:
        first = len(items)
        self._statements(node.children, items, depth + 1)
        if len(items) > first:
            items[first].joiner = joiner

    def _pipeline(self, node: Node, joiner: str, items: list[_Building], depth: int) -> None:
        """What the grammar put together too tightly, `a && b | c`, comes apart again: the pipe is b's."""
        first = True
        for child in node.children:
            if child.type in ("|", "|&") or child.type in _FILLERS:
                continue
            if first:
                self._statement(child, joiner, items, depth + 1)
                first = False
                continue
            more: list[_Building] = []
            self._statement(child, ";", more, depth + 1)
            if more and items:
                items[-1].stages.extend(more[0].stages)
                items.extend(more[1:])

    def _redirected(self, node: Node, joiner: str, items: list[_Building], depth: int) -> None:
        before = len(items)
        for child in node.children:
            if child.type not in _REDIRECTS:
                self._statement(child, joiner, items, depth + 1)
                continue
            if len(items) == before:
                items.append(_Building(joiner, [Command(())]))
            self._attach(child, items, depth)

    def _attach(self, node: Node, items: list[_Building], depth: int) -> None:
        """A redirect to the last command so far; a heredoc's line may go on after its start."""
        target = items[-1]
        at = len(target.stages) - 1
        if node.type != "heredoc_redirect":
            self._redirect(target, at, self._plain(node))
            return
        body = next((self._text(c) for c in node.children if c.type == "heredoc_body"), "")
        self._redirect(target, at, Redirect("<<", body))
        following: list[Node] = []
        for child in node.children:
            if child.type in _REDIRECTS:
                self._redirect(target, at, self._plain(child))
            elif child.type == "pipeline":
                more: list[_Building] = []
                self._pipeline(child, ";", more, depth + 1)
                target.stages.extend(more[0].stages if more else [])
                items.extend(more[1:])
            elif child.type in ("&&", "||") or following:
                following.append(child)
            elif child.type in ("word", "string", "raw_string", "concatenation", "number"):
                self._more_words(target, at, child)
        if following:
            self._following(following, items, depth)

    def _following(self, nodes: list[Node], items: list[_Building], depth: int) -> None:
        self._statements([n for n in nodes if not n.type.startswith("heredoc_")], items, depth + 1)

    def _more_words(self, item: _Building, at: int, node: Node) -> None:
        stage = item.stages[at]
        if isinstance(stage, Command):
            item.stages[at] = replace(stage, words=(*stage.words, self._word(node)))

    @staticmethod
    def _redirect(item: _Building, at: int, redirect: Redirect) -> None:
        stage = item.stages[at]
        item.stages[at] = replace(stage, redirects=(*stage.redirects, redirect))

    def _plain(self, node: Node) -> Redirect:
        fd, op, words = "", "", []
        for child in node.children:
            if child.type == "file_descriptor":
                fd = self._text(child)
            elif not op:
                op = self._text(child)
            else:
                words.append(self._word(child))
        return Redirect(op, words[0] if words else "", fd)

    def _stage(self, node: Node, items: list[_Building], depth: int) -> Stage:
        kind = node.type
        if kind in ("command", "declaration_command", "unset_command"):
            return self._command(node, depth)
        if kind == "variable_assignment":
            return Command((), (self._assignment(node),))
        if kind == "variable_assignments":
            return Command((), tuple([self._assignment(child) for child in node.children]))
        if kind in _BLOCKS:
            return Group(self.block(node, depth + 1))
        if kind in _LOOPS:
            return self._loop(node, depth)
        if kind == "test_command":
            return Command(("[", *self._text(node).strip("[] \t\n").split()))
        return Opaque(collapsed(self._text(node)), self._inside(node, depth))

    def _command(self, node: Node, depth: int) -> Command:
        words: list[str] = []
        assignments: list[tuple[str, str]] = []
        item = _Building("", [Command(())])
        for child in node.children:
            kind = child.type
            if kind == "variable_assignment" and node.type == "command":
                assignments.append(self._assignment(child))
            elif kind in _REDIRECTS:
                self._attach(child, [item], depth)
            elif kind != "comment":
                words.append(self._word(child))
        if not item.stages[0].redirects:
            return Command(tuple(words), tuple(assignments))
        return Command(tuple(words), tuple(assignments), item.stages[0].redirects)

    def _assignment(self, node: Node) -> tuple[str, str]:
        name, _, _ = self._text(node).partition("=")
        last = node.children[-1] if node.child_count > 2 else None
        return name, "" if last is None else self._word(last)

    def _loop(self, node: Node, depth: int) -> Loop:
        body = next((c for c in node.children if c.type in ("do_group", "compound_statement")), None)
        inside = self.block(body, depth + 1) if body is not None else EMPTY
        heads = [c for c in node.children if body is None or c.start_byte < body.start_byte]
        if node.type == "while_statement":
            items: list[_Building] = []
            self._statements(heads[1:], items, depth + 1)
            return Loop(Script(tuple([Item(i.joiner, tuple(i.stages)) for i in items])), "", "", inside)
        name = next((self._text(c) for c in heads if c.type == "variable_name"), "")
        head = collapsed(
            self._source[node.start_byte : heads[-1].end_byte].decode("utf-8", "replace").rstrip("; \n")
        )
        return Loop(EMPTY, head, name, inside)

    def _inside(self, node: Node, depth: int) -> Script:
        """The commands somewhere in a node, for what they do."""
        items: list[_Building] = []
        self._collect(node, items, depth + 1)
        return Script(tuple([Item(";", tuple(i.stages)) for i in items]))

    def _collect(self, node: Node, items: list[_Building], depth: int) -> None:
        if depth > MAX_DEPTH or len(items) >= MAX_ITEMS:
            return
        for child in node.children:
            if child.type in ("command", "redirected_statement", "pipeline", "list", "declaration_command"):
                self._statement(child, ";", items, depth + 1)
            elif child.child_count:
                self._collect(child, items, depth + 1)
