"""What the same edit does a second time: nothing, run a program as well, or change files again. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Literal

Again = Literal["nothing", "runs", "changes"]

LONGEST_JUDGED_CHARS = 8000
_HEREDOC = re.compile(r"(?<!<)<<(?!<)-?[ \t]*(['\"]?)(\w+)\1")
_GROWS = re.compile(r">>|\btee\s+(-a\b|--append\b)")
_OPERATOR = re.compile(r"[;|&()\n]+\Z")
_REDIRECT = re.compile(r"[<>&]+\Z")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
# Programs that leave the files they name the same way however often they run.
_SETTLED = frozenset({
    "cat", "cd", "chmod", "chown", "cp", "cut", "dirname", "echo", "export", "false", "find", "grep", "head",
    "install", "ln", "ls", "mkdir", "nl", "printf", "pwd", "rm", "rmdir", "rg", "set", "sort", "stat", "tail",
    "tee", "test", "touch", "tr", "true", "uniq", "wc", ":", "[", "[[",
})  # fmt: skip
_SETTLED_GIT = frozenset(
    {"add", "checkout", "clean", "diff", "log", "reset", "restore", "rm", "show", "status"}
)
_UNREADABLE = "(unreadable)"
_MOVES = frozenset({"mv", "patch", "ed", "ex", _UNREADABLE})
_SED_ADDRESS = r"(?:\d+|\$|/(?:[^/\\]|\\.)*/)(?:,(?:\d+|\$|/(?:[^/\\]|\\.)*/))?!?"
_SED_SUBSTITUTE = re.compile(
    rf"(?:{_SED_ADDRESS})?\s*s([/|#@,:!%+~])((?:(?!\1)[^\\]|\\.)*)\1((?:(?!\1)[^\\]|\\.)*)\1([gGiIp\d]*)",
    re.DOTALL,
)
_SED_DELETE_BY_TEXT = re.compile(r"/(?:[^/\\]|\\.)*/I?d")
_SED_CHANGE_LINE = re.compile(r"\d+c.*", re.DOTALL)


def again(command: str) -> Again:
    """What the same command does when it comes again and no file it names was touched since.

    "nothing": `cat > f <<EOF`, `sed -i s/a/b/`, `git checkout -- f`. "runs": it starts a program beside its
    edits (`cat > f; python f`), of which only the output can tell. "changes": it appends, inserts, moves, or
    cannot be told.
    """
    text = _without_heredocs(command)
    if len(text) > LONGEST_JUDGED_CHARS or _GROWS.search(text):
        return "changes"
    found: set[Again] = {_of_words(words) for words in _simple_commands(text)}
    if "changes" in found or not found:
        return "changes"
    return "runs" if "runs" in found else "nothing"


def _without_heredocs(command: str) -> str:
    """Only the lines of shell; the bodies of here-documents, one without an end too, are left out."""
    kept: list[str] = []
    end: str | None = None
    for line in command.split("\n"):
        if end is not None:
            end = None if line.strip() == end else end
            continue
        kept.append(_HEREDOC.sub(" ", line))
        opened = _HEREDOC.search(line)
        end = opened[2] if opened else None
    return "\n".join(kept)


def _of_words(words: list[str]) -> Again:
    program = words[0].rpartition("/")[2]
    if program in _SETTLED:
        return "nothing"
    if program == "sed":
        return "nothing" if _sed_settles(words[1:]) else "changes"
    if program == "git":
        return "nothing" if len(words) > 1 and words[1] in _SETTLED_GIT else "changes"
    return "changes" if program in _MOVES else "runs"


def _sed_settles(words: list[str]) -> bool:
    if not any(word.startswith(("-i", "--in-place")) or re.match(r"-[nErsz]*i", word) for word in words):
        return True
    scripts = [words[at + 1] for at, word in enumerate(words[:-1]) if word in {"-e", "--expression"}]
    plain = [word for word in words if not word.startswith("-") and word]
    return all(_script_settles(script) for script in scripts or plain[:1])


def _script_settles(script: str) -> bool:
    if _SED_DELETE_BY_TEXT.fullmatch(script) or _SED_CHANGE_LINE.fullmatch(script):
        return True
    parts = _SED_SUBSTITUTE.fullmatch(script)
    if parts is None:
        return False
    pattern, put = parts[2], parts[3]
    if pattern == put:
        return True
    # What is put in place must not be found again: no part of the match, nothing added before or after.
    return bool(pattern.strip("^$")) and not re.search(r"&|\\[\d&]", put) and pattern not in put


def _simple_commands(text: str) -> Iterator[list[str]]:
    """The words of each command of a line of shell, roughly: redirects and assignments left out."""
    words: list[str] = []
    after_redirect = False
    for token in _tokens(text):
        if _OPERATOR.match(token):
            if words:
                yield words
            words = []
        elif _REDIRECT.match(token):
            after_redirect = True
        elif after_redirect:
            after_redirect = False
        elif words or not _ASSIGNMENT.match(token):
            words.append(token)
    if words:
        yield words


def _tokens(text: str) -> list[str]:
    """Words and operators; what has no closing quote is one word that no program has."""
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars=";|&<>()\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return [_UNREADABLE]
