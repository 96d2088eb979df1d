"""A script's tree: plain commands are read without the grammar, which takes most of the time of a command."""

from __future__ import annotations

import re

from microloop_cli.core.progress.commands.heredocs import end_of
from microloop_cli.core.progress.commands.parse import parse
from microloop_cli.core.progress.commands.syntax import Command, Item, Redirect, Script, Stage

# Below this the grammar, too, reads all of a text, however many signs are in it.
_MAX_CHARS = 400
# A command and words, of which none means anything to the shell.
_BARE_WORDS = re.compile(r"[A-Za-z_./][\w./+,-]*(?: [\w./:@+,%=-]+)*", re.ASCII)
# A redirection, what joins commands, or a word: signs that mean nothing, and what stands in quotes.
_TOKENS = re.compile(
    r" *(?:[12]?>(?:&[12]|>)?|&>>?|<|&&|\|\|?|;|\n"
    r"|(?:[\w./:@+,=%*?~^-]+|'[ -&(-~\n]*'|\"[ !#%-\[\]_a-~^\n]*(?:\\[ -#%-_a-~][ !#%-\[\]_a-~^\n]*)*\")+)",
    re.ASCII,
)
_WRITES = re.compile(r"cat <<'(\w{1,64})' (>>?) ([A-Za-z_./][\w./+-]*)\n", re.ASCII)
_PIECES = re.compile(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|([^'\"]+)")
_ESCAPED_IN_STRING = re.compile(r"\\([\"\\])")
_PROGRAM = re.compile(r"[A-Za-z_./][\w./+,-]*", re.ASCII)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=[\w./:@+,-]*", re.ASCII)
_JOINERS = {"|": "|", "&&": "&&", "||": "||", ";": ";", "\n": ";"}
_RESERVED = frozenset(
    {
        "if",
        "then",
        "else",
        "elif",
        "fi",
        "case",
        "esac",
        "for",
        "select",
        "while",
        "until",
        "do",
        "done",
        "in",
    }
    | {"function", "time", "coproc", "declare", "typeset", "export", "readonly", "local", "unset", "unsetenv"}
)


def script_of(text: str) -> Script:
    """See `parse.parse`; plain commands, in pipelines and lists and with redirections, need no grammar."""
    return (_written(text) if text.startswith("cat <<") else _plain(text)) or parse(text)


def _written(text: str) -> Script | None:
    """`cat <<'EOF' > F`, as agents write files, and plain commands behind it."""
    start = _WRITES.match(text)
    found = end_of(text, start.end(), start[1]) if start is not None else None
    if start is None or found is None or text[found[0]] == "\t":
        return None
    body_end, end = found
    heredoc, file = Redirect("<<", text[start.end() : body_end]), Redirect(start[2], start[3])
    item = Item(";", (Command(("cat",), (), (heredoc, file)),))
    rest = text[end:].strip("\n ")
    if not rest:
        return Script((item,))
    following = _plain(rest)
    return Script((item, *following.items)) if following is not None else None


def _plain(text: str) -> Script | None:
    """The script, when all of it is plain; what is not surely so is left to the grammar."""
    text = text.strip(" ")
    if len(text) > _MAX_CHARS:
        return None
    if "==" not in text and _BARE_WORDS.fullmatch(text):
        words = tuple(text.split(" "))
        return None if words[0] in _RESERVED else Script((Item(";", (Command(words),)),))
    tokens = _TOKENS.findall(text)
    if not tokens or sum(map(len, tokens)) != len(text):
        return None
    items: list[Item] = []
    stages: list[Stage] = []
    joiner, start = ";", 0
    for at, token in enumerate(tokens):
        joined = _JOINERS.get(token.lstrip(" "))
        if joined is None:
            continue
        command = _command(tokens[start:at])
        if command is None:
            return None
        stages.append(command)
        start = at + 1
        if joined != "|":
            items.append(Item(joiner, tuple(stages)))
            joiner, stages = joined, []
    if start < len(tokens) or joiner != ";" or stages:
        command = _command(tokens[start:])
        if command is None:
            return None
        items.append(Item(joiner, (*stages, command)))
    return Script(tuple(items))


def _command(tokens: list[str]) -> Command | None:
    """A simple command: assignments, words, redirections, in this order."""
    words: list[str] = []
    assignments: list[tuple[str, str]] = []
    redirects: tuple[Redirect, ...] | None = ()
    for at, token in enumerate(tokens):
        word = token.lstrip(" ")
        if word[0] in "<>&" or word[1:2] == ">":
            redirects = _redirects(tokens[at:]) if words[-1:] != ["-"] else None
            break
        if "'" in word or '"' in word:
            if not words or word[:2] == "==":
                return None
            word = _value(word)
        elif "==" in word:
            return None
        elif not words and "=" in word:
            if not _ASSIGNMENT.fullmatch(word):
                return None
            name, _, value = word.partition("=")
            assignments.append((name, value))
            continue
        words.append(word)
    if not words or redirects is None or words[0] in _RESERVED or not _PROGRAM.fullmatch(words[0]):
        return None
    return Command(tuple(words), tuple(assignments), redirects)


def _redirects(tokens: list[str]) -> tuple[Redirect, ...] | None:
    """Redirections with nothing behind them: to the grammar a word there is one more target."""
    found: list[Redirect] = []
    rest = iter(tokens)
    for token in rest:
        sign = token.lstrip(" ")
        fd = sign[0] if sign[0].isdecimal() else ""
        op, target = sign[len(fd) :], ""
        if token[0] != " " or op[:1] not in ("<", ">", "&"):
            return None
        if op[:2] == ">&":
            op, target = ">&", op[2:]
        else:
            target = next(rest, "").lstrip(" ")
            if not target or target[0] in "<>&" or target[1:2] == ">":
                return None
            target = _value(target)
        found.append(Redirect(op, target, fd))
    return tuple(found)


def _value(word: str) -> str:
    """What the quotes of a word leave."""
    if word.count("'") == 2 and word[0] == word[-1] == "'":
        return word[1:-1]
    return _PIECES.sub(_unquoted, word)


def _unquoted(piece: re.Match[str]) -> str:
    single, double, bare = piece.groups()
    return single or bare or _ESCAPED_IN_STRING.sub(r"\1", double or "")
