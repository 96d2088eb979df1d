"""python, however it is called: a module, code in the command, a script. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from microloop_cli.core.progress.commands.code import code_writes, paths_in_code
from microloop_cli.core.progress.commands.part import Part
from microloop_cli.core.progress.commands.place import Place, looks_like_path
from microloop_cli.core.progress.commands.redirects import digest_of
from microloop_cli.core.progress.commands.runners import is_test_script, plain_words, script_words
from microloop_cli.core.progress.commands.unquote import collapsed, joined, quoted

_PYTHON = re.compile(r"(?:.*/)?(?:python|pypy)(?:\d+(?:\.\d+)*)?")
_VALUED = frozenset({"-W", "-X"})
_QUIET = re.compile(r"-[uBbdEIOPqsSvx]+|-W(?:ignore|default|once|always|module).*")
_ENDS = re.compile(r"-[A-Za-z]*[cm]")
# Values of -W that change only what is shown.
_LOOKS = ("ignore", "default", "once", "always", "module")
_ABOUT = frozenset({"--version", "-V", "-VV", "--help", "-h"})
_SHORT_CODE_CHARS = 200
_SHOWN_CODE_CHARS = 60
_TELLING = frozenset({"py_compile", "compileall", "json.tool", "site", "platform", "dis", "ast"})
# Modules that are programs of their own as well.
_PROGRAMS = frozenset(
    {
        "pytest", "py.test", "pip", "mypy", "ruff", "black", "flake8", "pylint", "tox", "nox", "isort",
        "build", "nose2", "nose", "pyflakes", "autopep8", "coverage", "sphinx", "trial",
    }
)  # fmt: skip


def is_python(word: str) -> bool:
    return "py" in word and _PYTHON.fullmatch(word) is not None


def python(words: Sequence[str], text: str | None, place: Place) -> Part | list[str]:
    """The part; or, for a module that is a program, that program's words. `text`: what it reads as input."""
    flags, mode, rest = _options(words)
    if mode == "m" and rest:
        return _module(rest[0], rest[1:], place)
    if mode == "c" and rest:
        return _code(flags, rest[0], rest[1:], place)
    if rest and rest[0] != "-":
        return _script(flags, rest[0], rest[1:], place)
    if text is not None:
        return _code(flags, text, rest[1:], place)
    if not rest and _ABOUT.intersection(flags):
        return Part(joined(["python", *flags]), "other")
    return Part(joined(["python", *flags, *rest]) + place.suffix(), "run", "perhaps")


def _options(words: Sequence[str]) -> tuple[list[str], str, list[str]]:
    """The interpreter's options that count; `m` or `c` when one of these ends them; the rest."""
    flags: list[str] = []
    at = 1
    while at < len(words) and words[at][:1] == "-" and words[at] != "-":
        option = words[at]
        at += 1
        if _ENDS.fullmatch(option):
            return flags, option[-1], list(words[at:])
        if option in _VALUED and at < len(words):
            if option == "-X" or not words[at].startswith(_LOOKS):
                flags += [option, words[at]]
            at += 1
        elif not _QUIET.fullmatch(option):
            flags.append(option)
    return flags, "", list(words[at:])


def _module(name: str, rest: Sequence[str], place: Place) -> Part | list[str]:
    if name in _PROGRAMS:
        return [name, *rest]
    if name == "unittest":
        words = plain_words("unittest", [place.argument(word) for word in rest])
        paths = tuple([place.path(word) for word in words if looks_like_path(word)])
        return Part(joined(["python", "-m", "unittest", *words]) + place.suffix(), "test", "no", paths)
    action = joined(["python", "-m", name, *[place.argument(word) for word in rest]]) + place.suffix()
    if name == "django" and rest[:1] == ["test"]:
        return Part(action, "test")
    return Part(action, "run", "no" if name in _TELLING else "perhaps")


def _code(flags: list[str], code: str, rest: Sequence[str], place: Place) -> Part:
    """Code that stands in the command is told by its text: what it writes can be seen."""
    text = code.strip()
    shown = quoted(text)
    if len(text) > _SHORT_CODE_CHARS or "\n" in text:
        shown = f"{quoted(collapsed(text[:_SHORT_CODE_CHARS])[:_SHOWN_CODE_CHARS])}... <{digest_of(text)}>"
    writes = code_writes(text)
    action = f"{joined(['python', *flags])} -c {shown}{' ' if rest else ''}{joined(rest)}{place.suffix()}"
    return Part(action, "edit" if writes == "yes" else "run", writes, paths_in_code(text, place))


def _script(flags: list[str], script: str, rest: Sequence[str], place: Place) -> Part:
    path = place.path(script)
    name = path.rpartition("/")[2]
    tests = is_test_script(path) or (name in ("manage.py", "setup.py", "test") and rest[:1] == ["test"])
    words = script_words(path, rest) if tests else [place.argument(word) for word in rest]
    action = joined(["python", *flags, place.argument(script), *words]) + place.suffix()
    return Part(action, "test" if tests else "run", "no" if tests else "perhaps", (path,))
