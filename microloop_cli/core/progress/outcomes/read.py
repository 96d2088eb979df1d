"""The registry of test runners, and the one way from an output to what the test run came to. Pure.

Another runner: a module with `MARKERS` (one of them is in every output of it; plain `in`, so make them
telling) and `read(text)`, which gives None for what is no run of it; then a line in `runners`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from microloop_cli.core.progress.outcomes.looking import only_looks
from microloop_cli.core.progress.outcomes.messages import plain
from microloop_cli.core.progress.signals import CommandKind, TestOutcome

HEAD_CHARS = 1 << 18
TAIL_CHARS = 1 << 20


class Runner(NamedTuple):
    """How one runner's outputs are read.

    read: what a run came to, None when the text is no run of this runner; never raises, linear.
    markers: one of them is in every output. words: of commands; with one of them this runner is asked first.
    """

    read: Callable[[str], TestOutcome | None]
    markers: tuple[str, ...]
    words: tuple[str, ...] = ()


# A runner's markers by the word that is in them.
Gated = tuple[tuple[str, tuple[str, ...]], ...]

# Kinds of command that run no tests, whatever they show; one that edits and then tests is of the kind `test`.
_SHOWS: frozenset[CommandKind] = frozenset(("view", "search", "list", "edit", "message", "wait"))
# How much of each end of an output is searched for a runner's words when nothing says that tests were run.
_SEARCHED_CHARS = 512
# Every marker in ASCII has one of these in it, in small letters: without it, it need not be looked for.
_GATES = (
    "fail", "pass", "test", "rror", "assert", "example", "ran ", "ok ", "skip", "\n\n1) ", "mocha", "phpunit",
    "exception", "forked", "> task", "could not find '",
)  # fmt: skip
_NOT_ASCII = "not ASCII"
# These end a build as well as a test run: a crash alone counts only for a command that asks for tests.
_BUILDERS = frozenset(("cargo", "maven", "gradle", "dotnet"))


@functools.cache
def runners() -> tuple[Runner, ...]:
    """All of them, the most telling first: the first that reads something is right.

    Imported here, at the first output that may be a test run: their patterns take some 50 ms to compile.
    """
    from microloop_cli.core.progress.outcomes import (
        cargo_test,
        ctest,
        doctest,
        dotnet,
        go_test,
        googletest,
        gradle,
        jest,
        maven,
        minitest,
        mocha,
        node_test,
        phpunit,
        pytest,
        rspec,
        sympy_test,
        tap,
        trial,
        unittest,
        vitest,
    )

    return (
        Runner(pytest.read, pytest.MARKERS, ("pytest", "py.test")),
        Runner(sympy_test.read, sympy_test.MARKERS, ("bin/test",)),
        Runner(trial.read, trial.MARKERS, ("trial",)),
        Runner(unittest.read, unittest.MARKERS, ("unittest", "runtests", "manage.py test")),
        Runner(go_test.read, go_test.MARKERS, ("go test",)),
        Runner(cargo_test.read, cargo_test.MARKERS, ("cargo",)),
        Runner(vitest.read, vitest.MARKERS, ("vitest",)),
        Runner(jest.read, jest.MARKERS, ("jest",)),
        Runner(node_test.read, node_test.MARKERS, ("node --test",)),
        Runner(mocha.read, mocha.MARKERS, ("mocha",)),
        Runner(maven.read, maven.MARKERS, ("mvn",)),
        Runner(gradle.read, gradle.MARKERS, ("gradle",)),
        Runner(dotnet.read, dotnet.MARKERS, ("dotnet",)),
        Runner(phpunit.read, phpunit.MARKERS, ("phpunit",)),
        Runner(ctest.read, ctest.MARKERS, ("ctest",)),
        Runner(googletest.read, googletest.MARKERS),
        Runner(rspec.read, rspec.MARKERS, ("rspec",)),
        Runner(minitest.read, minitest.MARKERS),
        Runner(tap.read, tap.MARKERS, ("bats",)),
        Runner(doctest.read, doctest.MARKERS, ("doctest",)),
    )


def read_outcome(command: str, text: str, kind: CommandKind | None = None) -> TestOutcome | None:
    """What the test run in an output came to; None when the output shows no test run.

    command: how it was started, only a hint; a command that merely looks at files runs no tests.
    text: stdout and stderr. kind: the command's, when it is known. Never raises; linear; of a text longer
    than HEAD_CHARS and TAIL_CHARS the middle is not looked at.
    """
    if kind in _SHOWS or not text:
        return None
    text = _bounded(plain(text))
    asked = _asked(command)
    searched = text if kind in (None, "test") or len(text) <= 2 * _SEARCHED_CHARS else _ends(text)
    marked = (runner for runner in _marked(searched) if runner not in asked)
    outcome = _first(itertools.chain(asked, marked), text)
    if outcome is None or (kind is None and only_looks(command)):
        return None
    if outcome.status == "crashed" and outcome.runner in _BUILDERS and "test" not in command:
        return None
    return outcome


def _asked(command: str) -> list[Runner]:
    asked: list[Runner] = []
    for word, runner in _worded():
        if word in command and runner not in asked:
            asked.append(runner)
    return asked


@functools.cache
def _worded() -> tuple[tuple[str, Runner], ...]:
    return tuple((word, runner) for runner in runners() for word in runner.words)


def _first(candidates: Iterable[Runner], text: str) -> TestOutcome | None:
    for runner in candidates:
        outcome = runner.read(text)
        if outcome is not None:
            return outcome
    return None


def _ends(text: str) -> str:
    """Where a runner says what it is and what it came to."""
    return f"{text[:_SEARCHED_CHARS]}\n{text[-_SEARCHED_CHARS:]}"


def _bounded(text: str) -> str:
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text
    return text[:HEAD_CHARS] + "\n" + text[-TAIL_CHARS:]


def _marked(text: str) -> Iterator[Runner]:
    """The runners one of whose markers is in the text, in the order of `runners`; as far as asked for."""
    lowered = text.lower()
    opened = {gate for gate in _GATES if gate in lowered}
    if not text.isascii():
        opened.add(_NOT_ASCII)
    if not opened:
        return
    gated = _gated()
    for place in sorted({place for gate in opened for place in _behind().get(gate, ())}):
        runner, markers = gated[place]
        if _shows(markers, opened, text):
            yield runner


def _shows(gated: Gated, opened: set[str], text: str) -> bool:
    for gate, markers in gated:
        if gate in opened:
            for marker in markers:
                if marker in text:
                    return True
    return False


@functools.cache
def _gated() -> tuple[tuple[Runner, Gated], ...]:
    """Every runner's markers by the first gate that is in them."""
    return tuple((runner, _by_gate(runner.markers)) for runner in runners())


@functools.cache
def _behind() -> dict[str, list[int]]:
    """The places in `_gated` of the runners that a gate opens."""
    behind: dict[str, list[int]] = {}
    for place, (_, gated) in enumerate(_gated()):
        for gate, _ in gated:
            behind.setdefault(gate, []).append(place)
    return behind


def _by_gate(markers: tuple[str, ...]) -> Gated:
    groups: dict[str, tuple[str, ...]] = {}
    for marker in markers:
        gate = next((gate for gate in _GATES if gate in marker.lower()), _NOT_ASCII)
        groups[gate] = (*groups.get(gate, ()), marker)
    return tuple(groups.items())
