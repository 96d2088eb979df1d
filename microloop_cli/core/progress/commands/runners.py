"""Test runners: what is run stays, how it is shown goes. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from microloop_cli.core.progress.commands.options import Spec, read_options, shown

_PYTEST = Spec(
    valued=frozenset(
        {
            "k", "m", "p", "n", "c", "r", "W", "o", "maxfail", "tb", "durations", "rootdir", "ignore",
            "deselect", "junitxml", "junit-xml", "log-level", "capture", "color", "dist",
            "numprocesses", "timeout", "cov-report", "confcutdir", "basetemp", "verbosity",
            "show-capture", "log-cli-level", "reruns",
        }
    ),
    dropped=frozenset(
        {
            "v", "q", "s", "x", "p", "r", "n", "W", "l", "maxfail", "tb", "color", "no-header",
            "durations", "durations-min", "numprocesses", "dist", "capture", "disable-warnings",
            "disable-pytest-warnings", "cache-clear", "showlocals", "full-trace", "no-summary",
            "verbose", "quiet", "exitfirst", "cov", "no-cov", "cov-report", "cov-append", "cov-branch",
            "junitxml", "junit-xml", "timeout", "forked", "reruns", "strict-markers", "strict-config",
            "show-capture", "log-level", "log-cli-level", "verbosity", "code-highlight", "assert",
            "basetemp", "instafail", "no-showlocals",
        }
    ),
    same={"co": "collect-only", "last-failed": "lf", "failed-first": "ff"},
)  # fmt: skip
_VALUED = frozenset(
    {
        "parallel", "settings", "tag", "exclude-tag", "verbosity", "testNamePattern", "grep", "filter",
        "config", "test", "bench", "package",
    }
)  # fmt: skip
_DROPPED = frozenset(
    {
        "verbosity", "verbose", "quiet", "failfast", "parallel", "keepdb", "noinput", "no-input",
        "color", "no-color", "colors", "no-colors", "timing", "traceback", "tb", "silent", "runInBand",
        "ci", "reporter", "reporters", "bail", "forceExit", "detectOpenHandles", "debug", "stacktrace",
        "nocapture", "no-capture", "show-output", "no-fail-fast", "test-threads", "locked", "offline",
        "message-format", "no-header", "subprocess", "slow", "no-subprocess", "no-cache", "cache",
        "coverage", "output-on-failure", "progress", "console", "nologo", "logger", "buffer", "locals",
        "experimental-test-coverage", "test-reporter", "batch-mode", "no-transfer-progress",
        "passWithNoTests", "maxWorkers", "no-cov", "no-coverage", "testdox", "run", "info",
    }
)  # fmt: skip
# Options of one letter mean something else in each of these: those dropped, those with a value.
_ONE_LETTER: dict[str, tuple[str, str]] = {
    "unittest": ("vqbfc", "kspt"),
    "cargo": ("vqj", "jpF"),
    "ctest": ("Vj", "jRELT"),
    "make": ("sjkO0123456789", "fC"),
    "rspec": ("fbc", "fet"),
    "phpunit": ("v", "c"),
    "tox": ("vqr", "ec"),
    "jest": ("iwo", "tcw"),
    "mocha": ("bRs", "gfRs"),
    "runtests.py": ("v", "vk"),
}
_SCRIPT_RUNNERS = frozenset({"npm", "yarn", "pnpm"})
_NO_LETTERS = ("v", "kmtgc")
_BUILD_TOOL_LOOKS = frozenset(
    {"-q", "-B", "-e", "-X", "-U", "--quiet", "--info", "--batch-mode", "--stacktrace", "-i"}
)
_GO_LOOKS = re.compile(
    r"--?(?:v|count|race|cover\w*|json|timeout|parallel|p|failfast|vet|shuffle|cpu)(?:=.*)?"
)
_GO_VALUED = frozenset({"-timeout", "-parallel", "-p", "-cpu", "-count", "-coverprofile"})
_TEST_SCRIPT = re.compile(
    r"(?:.*/)?(?:(?:run_?tests?|tests?|[\w-]*_tests?|test_[\w-]*|[\w-]*[._-](?:test|spec))\.\w{1,4}"
    r"|(?<=/)(?:run[_-]?tests?|tests?|doctest))"
)
_DJANGO = frozenset({"runtests.py", "runtest.py", "run_tests.py", "run_test.py"})


def pytest_words(words: Sequence[str]) -> list[str]:
    """`pytest` with what decides which tests run; targets in their order."""
    options, operands = read_options(words, _PYTEST)
    return ["pytest", *shown(options), *operands]


def plain_words(program: str, words: Sequence[str]) -> list[str]:
    """Words after another runner's name, without those that change only what is shown."""
    if program == "go":
        return _go(words)
    if program in _SCRIPT_RUNNERS:
        words = _without_run(words)
    if program in ("mvn", "gradle"):
        return [word for word in words if word not in _BUILD_TOOL_LOOKS]
    options, operands = read_options([word for word in words if word != "--"], _spec(program))
    return [*shown(options), *operands]


def _without_run(words: Sequence[str]) -> list[str]:
    """`npm run test`, `npm t`: `npm test`."""
    rest = list(words)
    if rest[:1] in (["run"], ["run-script"]) and rest[1:2] in (["test"], ["t"], ["tst"]):
        del rest[0]
    if rest and rest[0] in ("t", "tst"):
        rest[0] = "test"
    return rest


@functools.lru_cache(maxsize=64)
def _spec(program: str) -> Spec:
    dropped, valued = _ONE_LETTER.get(program, _NO_LETTERS)
    return Spec(_VALUED | frozenset(valued), _DROPPED | frozenset(dropped))


def _go(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in _GO_VALUED:
            skip = True
        elif not _GO_LOOKS.fullmatch(word):
            kept.append(word)
    return kept


def is_test_script(path: str) -> bool:
    """A script named as tests are: `runtests.py`, `test_x.py`, `x.test.js`."""
    return ("test" in path or "spec" in path) and _TEST_SCRIPT.fullmatch(path) is not None


def script_words(path: str, words: Sequence[str]) -> list[str]:
    """The arguments of a test script; Django's runner has flags of its own that change only the looks."""
    name = path.rpartition("/")[2]
    return plain_words("runtests.py", words) if name in _DJANGO or name == "manage.py" else list(words)


# Programs that test, by name; by the first words where one name does much else.
TEST_PROGRAMS = frozenset(
    {
        "jest", "vitest", "mocha", "ava", "tap", "jasmine", "karma", "ctest", "rspec", "phpunit", "tox",
        "nox", "nosetests", "nose", "nose2", "pest", "gotestsum", "trial", "bats", "busted", "playwright",
        "cypress", "stestr", "testr", "zope-testrunner",
    }
)  # fmt: skip
_TEST_WORD = re.compile(
    r"(?:t|tst|tests?|spec|e2e|unit|vitest|jest|integration)(?:[:_-].*)?|.*[:_-]tests?(?:[:_-].*)?"
)
# These change what is installed, whatever is named after them.
_CHANGES = frozenset({"install", "i", "add", "remove", "uninstall", "update", "upgrade", "ci", "init"})
_SUBCOMMANDS: dict[str, frozenset[str]] = {
    "go": frozenset({"test"}),
    "cargo": frozenset({"test", "nextest", "t", "tarpaulin", "llvm-cov"}),
    "dotnet": frozenset({"test", "vstest"}),
    "mvn": frozenset({"test", "verify", "integration-test", "surefire:test"}),
    "swift": frozenset({"test"}),
    "bazel": frozenset({"test"}),
    "mix": frozenset({"test"}),
    "zig": frozenset({"test"}),
    "deno": frozenset({"test"}),
    "bun": frozenset({"test"}),
    "flutter": frozenset({"test"}),
    "dart": frozenset({"test"}),
    "stack": frozenset({"test"}),
    "cabal": frozenset({"test"}),
    "lein": frozenset({"test"}),
    "sbt": frozenset({"test"}),
    "meson": frozenset({"test"}),
    "forge": frozenset({"test"}),
    "hardhat": frozenset({"test"}),
    "composer": frozenset({"test"}),
    "rails": frozenset({"test"}),
    "artisan": frozenset({"test"}),
}
_TARGETED = frozenset(
    {
        "make", "gmake", "ninja", "just", "rake", "gradle", "gradlew", "task", "npm", "yarn", "pnpm",
    }
)  # fmt: skip


def _any_tests(words: Sequence[str]) -> bool:
    return any(_TEST_WORD.fullmatch(word.rpartition(":")[2] if word[:1] == ":" else word) for word in words)


def is_test_call(program: str, words: Sequence[str]) -> bool:
    """Whether a program, called with these words, runs tests."""
    if program in TEST_PROGRAMS:
        return True
    plain = [word for word in words if word[:1] != "-"]
    if program in _SUBCOMMANDS:
        return any(word in _SUBCOMMANDS[program] for word in plain[:3])
    if program in _SCRIPT_RUNNERS:
        return plain[:1] != ["check"] and not _CHANGES.intersection(plain[:1]) and _any_tests(plain[:3])
    if program in _TARGETED:
        return _any_tests(plain[:4]) or "check" in plain[:4] or ":check" in plain[:4]
    if program in ("node", "tsx", "ts-node"):
        return "--test" in words
    return False
