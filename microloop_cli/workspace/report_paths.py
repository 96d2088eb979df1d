"""Where a command says that its test reports go: the paths its flags and variables name. Pure."""

from __future__ import annotations

import functools
import posixpath
import re
from typing import NamedTuple

_COMMAND_CHARS = 8192
_WORDS = 400
_SAID = 64

# One of these is in every command that names a report, or whose reports stand in a known folder.
_HINT = re.compile(
    r"(?i:junit|xunit|trx|mocha_file|mochafile)|output-?[fF]ile|--out|-o |-json|results-directory|reporter"
    r"|gtest_output|\bmvn|\bgradle|dotnet|nextest"
)
_WORD = re.compile(
    r"&&|\|\||[;|&\n]|[0-9]?>>?"
    r"|(?:[^\s'\"\\;|&><]|\\.|'[^']{0,4000}'|\"(?:[^\"\\]|\\.){0,4000}\")+"
)
_QUOTES = re.compile(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|\\(.)")

# Options whose value is a report; `--flag=P` and `--flag P` alike.
_FLAGS = frozenset(
    (
        "--junitxml", "--junit-xml", "--output-junit", "--log-junit", "--xunit-file", "--xunit-output",
        "--outputFile", "--output-file", "--outputFile.junit", "--outputFile.json", "--junitfile",
        "--jsonfile", "--junit", "--test-reporter-destination", "--out", "--junit-output", "--testresults",
    )
)  # fmt: skip
_VARIABLES = frozenset(
    (
        "MOCHA_FILE", "JEST_JUNIT_OUTPUT_FILE", "JEST_JUNIT_OUTPUT", "JEST_JUNIT_OUTPUT_NAME",
        "JUNIT_OUTPUT_FILE", "GOTESTSUM_JUNITFILE", "GOTESTSUM_JSONFILE", "XUNIT_FILE",
    )
)  # fmt: skip
_SHORT = {"rspec": "-o", "minitest": "-o", "busted": "-o", "mocha": "-O"}
_OPTIONS = ("--reporter-option", "--reporter-options", "-O")
_OPTION_KEYS = ("output=", "mochaFile=")
_PROJECT = ("-p", "--project-dir", "-f", "--file")
_BUILDERS = {"mvn": "maven", "mvnw": "maven", "mvnd": "maven", "gradle": "gradle", "gradlew": "gradle",
             "dotnet": "dotnet", "cargo-nextest": "nextest", "nextest": "nextest"}  # fmt: skip


class Said(NamedTuple):
    """What a command says of its reports. All paths as typed, the folder it changed to put before them.

    files: reports by name. folders: where reports may be put. builders: (what builds, in which folder):
    their reports stand in folders everybody knows.
    """

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    builders: tuple[tuple[str, str], ...] = ()


_NOTHING = Said()


def reports_said(command: str) -> Said:
    """What the command names; nothing for nearly all commands, at the price of one search."""
    command = command[:_COMMAND_CHARS]
    return _read(command) if _HINT.search(command) else _NOTHING


@functools.lru_cache(maxsize=256)
def _read(command: str) -> Said:
    reading = _Reading()
    words = [_unquoted(word) for word in _WORD.findall(command)[:_WORDS]]
    for n, word in enumerate(words):
        reading.take(word, words[n + 1] if n + 1 < len(words) else "")
    return Said(tuple(reading.files[:_SAID]), tuple(reading.folders[:_SAID]), tuple(reading.builders[:8]))


class _Reading:
    def __init__(self) -> None:
        self.files: list[str] = []
        self.folders: list[str] = []
        self.builders: list[tuple[str, str]] = []
        self.folder = ""
        self.short = "none"
        self.json = False

    def take(self, word: str, following: str) -> None:
        flag, equals, value = word.partition("=")
        if word == "cd":
            self.folder = self._at(following)
        elif flag in _FLAGS or word == self.short or flag in _VARIABLES:
            self._file(value if equals else following)
        elif flag in _OPTIONS or word.startswith(_OPTION_KEYS):
            self._options(value if flag in _OPTIONS and equals else word if equals else following)
        elif flag == "--gtest_output":
            self._file(value.partition(":")[2])
        elif flag in ("--logger", "-l"):
            self._logger(value if equals else following)
        elif flag in ("--results-directory", "-r") and (self.builders or flag != "-r"):
            self.folders.append(self._at(value if equals else following))
        elif word in ("-json", "--json"):
            self.json = True
        elif word in (">", ">>", "1>", "tee") and self.json:
            self._file(following)
        elif flag in _PROJECT and self.builders:
            self._project(value if equals else following)
        else:
            self._program(word, following)

    def _program(self, word: str, following: str) -> None:
        name = posixpath.basename(word)
        self.short = _SHORT.get(name, self.short)
        if name in _BUILDERS and (name != "dotnet" or following in ("test", "vstest")):
            self.builders.append((_BUILDERS[name], self.folder))

    def _project(self, path: str) -> None:
        """`gradle -p DIR`, `mvn -f DIR/pom.xml`: built there."""
        folder = posixpath.dirname(path) if path.endswith((".xml", ".gradle")) else path
        self.builders.append((self.builders[-1][0], self._at(folder)))

    def _file(self, path: str) -> None:
        if path and not path.startswith("-"):
            self.files.append(self._at(path))

    def _options(self, value: str) -> None:
        for option in value.split(","):
            for key in _OPTION_KEYS:
                if option.startswith(key):
                    self._file(option[len(key) :])

    def _logger(self, value: str) -> None:
        """`trx;LogFileName=x.trx`, `junit;LogFilePath=out/x.xml`: the former below the results folder."""
        for part in value.split(";")[1:]:
            key, _, path = part.partition("=")
            if key.strip().lower() == "logfilepath":
                self._file(path)
            elif key.strip().lower() == "logfilename":
                self._file(path)
                self._file(posixpath.join("TestResults", path))

    def _at(self, path: str) -> str:
        return posixpath.join(self.folder, path) if self.folder else path


def _unquoted(word: str) -> str:
    if "'" not in word and '"' not in word and "\\" not in word:
        return word
    return _QUOTES.sub(lambda match: match[1] or match[2] or match[3] or "", word)
