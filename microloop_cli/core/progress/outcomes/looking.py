"""Commands that only show files or history: what they print is no test run, however it looks. Pure."""

from __future__ import annotations

import functools
import re

_COMMAND_CHARS = 8192
_REDIRECT = re.compile(r"\d?[<>]&[\d-]?|&>>?")
_SEPARATOR = re.compile(r"&&|\|\||[;|&\n]")
_QUOTED = re.compile(r"'[^']{0,2048}'|\"(?:[^\"\\]|\\.){0,2048}\"", re.DOTALL)
_HEREDOC = re.compile(r"<<-?\s{0,4}['\"\\]?([A-Za-z_]\w{0,40})['\"]?")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w{0,80}=\S{0,400}$")

_LOOKERS = frozenset(
    (
        "cat", "sed", "grep", "egrep", "fgrep", "rg", "ag", "ack", "head", "tail", "less", "more", "nl",
        "ls", "find", "fd", "tree", "stat", "file", "wc", "diff", "cmp", "bat", "view", "vi", "vim", "awk",
        "cut", "sort", "uniq", "tr", "echo", "printf", "pwd", "cd", "pushd", "popd", "which", "type",
        "whereis", "du", "df", "column", "strings", "xxd", "od", "hexdump", "jq", "yq", "git", "hg", "svn",
        "gh", "xargs", "cp", "mv", "rm", "mkdir", "touch", "ln", "chmod", "tee", "patch", "true", ":",
        "export", "set", "test", "[", "date", "hostname", "uname", "env", "history", "man", "apt",
        "apt-get", "pip", "pip3", "open", "goto", "scroll_up", "scroll_down", "search_dir", "search_file",
        "find_file", "str_replace_editor", "read_file", "view_file", "edit", "create", "insert",
        "undo_edit",
    )
)  # fmt: skip
_RUNS_OTHERS = frozenset(("env", "xargs", "find", "git"))
_ALWAYS = frozenset(
    (
        "sudo", "time", "nice", "nohup", "command", "builtin", "then", "do", "else", "!", "(", "{", "if",
        "while",
    )
)  # fmt: skip


@functools.lru_cache(maxsize=4096)
def only_looks(command: str) -> bool:
    """True when every program the command starts is one that shows, searches, copies or edits text.

    False when in doubt: a script, an interpreter, anything unknown or overlong may run tests; so may "".
    """
    bare = _without_heredocs(command)
    if len(bare) > _COMMAND_CHARS:
        return False
    bare = _REDIRECT.sub(" ", _QUOTED.sub("''", bare))
    programs = [name for part in _SEPARATOR.split(bare) if (name := _program(part))]
    return bool(programs) and all(name in _LOOKERS for name in programs)


def _program(part: str) -> str:
    """The program a simple command starts, without its folder; "" for none (a comment, an assignment)."""
    words = part.split(None, 40)
    while words and (words[0] in _ALWAYS or _ASSIGNMENT.match(words[0]) or words[0].strip("(){}") == ""):
        words.pop(0)
    if not words or words[0].startswith(("#", "<", ">", "2>", "1>")):
        return ""
    folder, _, name = words[0].lstrip("({").rstrip(")}").rpartition("/")
    if folder and not folder.endswith("/bin"):
        return "another"
    if folder and not folder.startswith("/"):
        return "another"
    if name in _RUNS_OTHERS and _starts_another(name, words[1:]):
        return "another"
    return name


def _starts_another(name: str, words: list[str]) -> bool:
    if name == "find":
        return "-exec" in words or "-execdir" in words
    if name == "git":
        return "bisect" in words
    return any(not word.startswith("-") and "=" not in word for word in words)


def _without_heredocs(command: str) -> str:
    """The bodies of here-documents are data. Each is dropped up to the line that ends it."""
    if "<<" not in command:
        return command
    kept: list[str] = []
    ends: list[str] = []
    for line in command.split("\n"):
        if ends:
            if line.strip() == ends[0]:
                ends.pop(0)
            continue
        kept.append(line)
        ends += _HEREDOC.findall(line)
    return "\n".join(kept)
