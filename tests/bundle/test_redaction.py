"""Secrets are taken out of text by their shape and by their value, and nothing else is."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.bundle.redaction import Redactor
from microloop_cli.bundle.redaction_kinds import shapes
from microloop_cli.bundle.redaction_values import secret_values
from microloop_cli.core.events import ExecStarted, RunStarted, StepEnded, Stream, WorkspaceChanged
from microloop_cli.core.progress.commands.meaning import meaning
from microloop_cli.core.progress.signals import ErrorSignature, FailedTest, Signals, TestOutcome
from tests.bundle.planted import made, secrets

PLANTED = secrets()
TOKEN = PLANTED["github-classic"][0]
SURROUNDINGS = [
    "%s", "a %s b", '{"x":"%s"}', "\\n%s\\n", "X=%s", "('%s',)", "+%s", "key: %s", "\x1b[31m%s\x1b[0m", "q=1%%26%s",
    "<%s>", "[%s](x)", "é%s",
]  # fmt: skip
NOT_SECRET = [
    "password = get_password()", "password: str = None", "token = request.headers['x']", "self.token = token2",
    "connect(user=u, password=pass2word)", "max_tokens=100000", "token_count: 123", "api_key=os.environ['K1']",
    'password = ""', 'if token == "abc": pass', "--token TOKEN", "secret: SecretStr", "key=lambda x1: x1",
    "d['key'] = value_12", "git show 0123456789abcdef0123456789abcdef01234567", "secrets.token_hex(16)",
    "password=password1, x", "f(token=tok2)", "https://user@host/x", "sk-estimator-container-div-id", "key='name'",
    "print('Bearer of bad news')", "sha256:" + "ab12" * 16, "test_secret_values_of_a_run_2", "password: |",
    "passwd: files systemd", "tokenizer=gpt2-medium", "token=$TOKEN", 'pwd="$(cat x1)"', "api_key=<API_KEY>",
    "-----BEGIN PRIVATE KEY-----\\n...", "if '-----BEGIN RSA PRIVATE KEY-----' in text: return 12345",
    "https://github.com/a/b.git", "token: ${{ secrets.GITHUB_TOKEN }}", "password={password!r}", "Authorization: none",
    "class TokenKind2: pass", "next_token = tokens[1]", "MTIzNDU2.abcdef.short", "eyJ is how a JWT begins",
]  # fmt: skip


@pytest.mark.parametrize("kind", PLANTED)
def test_a_secret_is_taken_out_wherever_it_stands(kind: str) -> None:
    text, parts = PLANTED[kind]
    for around in SURROUNDINGS:
        redacted = Redactor().text(around % text)
        assert not [part for part in parts if part in redacted], around
        assert "<redacted:" in redacted
        assert Redactor().text(redacted) == redacted


def test_more_than_thirty_kinds_are_known_and_planted() -> None:
    assert len(shapes()) > 30
    assert len(PLANTED) > 30


@pytest.mark.parametrize("text", NOT_SECRET)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert Redactor().text(text) is text


def test_source_code_stays_as_it_is() -> None:
    package = Path(__file__).parents[2] / "microloop_cli"
    changed = [path.name for path in package.rglob("*.py") if Redactor().holds_secret(path.read_bytes())]
    assert changed == []


PIECES = st.sampled_from(
    [*(text for text, _ in PLANTED.values()), "password=", "token: ", "sk-", "eyJ", ".", "@", "://", "--secret ", "=",
     "-----BEGIN ", " ", "\n", "a", "Z9", "<", ">", "<redacted:aws>", "<V>", "MY-value-1", '"', "\\", "_", "-"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES | st.text(max_size=6), max_size=8).map("".join))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    redactor = Redactor({"V": "MY-value-1", "REDACTED": "redacted"})
    once = redactor.text(text)
    assert redactor.text(once) == once
    assert redactor.data(text.encode("utf-8", "surrogatepass")) is not None


@given(st.binary(max_size=400))
def test_any_bytes_without_a_secret_are_given_back_as_they_are(data: bytes) -> None:
    assert Redactor({"V": "not in there at all"}).data(data) == data or b"=" in data or b":" in data


@pytest.mark.parametrize(
    "unit",
    ["sk-", "ghp_", "eyJ", ".eyJ", "key=", "1:AA", "://a", "-", "login a password ", "--token ", "AKIA", "a.bbbbbb.",
     "-----BEGIN PRIVATE KEY-----", "Authorization: ", "glpat--", "password='", "SK00000000", "://" + "a" * 30],
)  # fmt: skip
def test_hostile_text_takes_no_longer_than_its_length_says(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        began = time.perf_counter()
        Redactor().text(text)
        return time.perf_counter() - began

    Redactor().text(unit * 30)
    assert seconds(120_000) < 10 * seconds(30_000) + 0.05


def test_values_are_found_as_they_are_in_urls_base64_and_json() -> None:
    value = 'pa ss/"w&rd' + made("value", 9)
    redactor = Redactor({"DB_PASSWORD": value})
    assert redactor.text(f"x{value}y") == "x<DB_PASSWORD>y"
    assert redactor.text(json.dumps({"a": value})) == '{"a": "<DB_PASSWORD>"}'
    assert "%2F" not in redactor.text("u=pa%20ss%2F%22w%26rd" + made("value", 9))
    for before in ("", "u", "us", "user:"):
        coded = base64.b64encode((before + value + "tail").encode()).decode()
        assert "<DB_PASSWORD>" in redactor.text(coded), before


@pytest.mark.parametrize(
    "written",
    ["aB3/x+y=z\\u0026w\\u00e9", "aB3/x+y\\u003dz\\u0026w\\u00e9", "aB3/x\\u002By=z\\u0026w\\u00e9",
     "aB3\\/x+y=z&w\\u00e9", "ab3/x+y=z&wé"],
)  # fmt: skip
def test_values_are_found_as_other_languages_write_them_and_as_hosts(written: str) -> None:
    redactor = Redactor({"DB_PASSWORD": "aB3/x+y=z&wé"})
    assert redactor.text(f'"{written}"') == '"<DB_PASSWORD>"'


def test_a_value_that_contains_another_is_replaced_whole() -> None:
    redactor = Redactor({"SHORT_KEY": "secret", "LONG_KEY": "secret-and-more"})
    assert redactor.text("secret-and-more secret") == "<LONG_KEY> <SHORT_KEY>"


def test_which_variables_count() -> None:
    given_ones = {"A": "1", "NODE_ENV": "production", "X": "hunter2-x", "SRC": "/src/app", "API_KEY": "short"}
    host = {"GITHUB_TOKEN": "abcdefgh1", "PATH": "/usr/bin", "HOME": "/root", "AWS_SECRET_ACCESS_KEY": "x" * 40,
            "GOOGLE_APPLICATION_CREDENTIALS": "/home/u/key.json", "PWD": "/home/user", "MAX_THINKING_TOKENS": "31999000",
            "SSH_KEY_FILE": "/home/u/.ssh/id", "EDITOR": "emacs-29.1"}  # fmt: skip
    assert set(secret_values(given_ones, host)) == {"X", "API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY"}


def _exec(*argv: str) -> ExecStarted:
    return ExecStarted(
        exec_id=1, pid=1, ppid=1, lineage="agent_child", argv=argv, argv_bytes=9, exe="/bin/x", cwd=f"/w/{TOKEN}",
        fds=("null", "pipe", "pipe"), awaiting=True,
    )  # fmt: skip


def test_the_text_of_a_fact_is_redacted_and_its_fixed_words_stay() -> None:
    redactor = Redactor({"AGENT_KEY": "agent"})
    fact = redactor.fact(_exec("agent", "x", f"a={TOKEN}"))
    assert (fact.lineage, fact.argv, fact.cwd) == (
        "agent_child", ("<AGENT_KEY>", "x", "a=<redacted:github>"), "/w/<redacted:github>"
    )  # fmt: skip
    failed = FailedTest(f"t[{TOKEN}]", "E", f"bad {TOKEN}")
    signals = Signals(
        output_digest="0" * 64,
        tests=TestOutcome(runner="pytest", status="failed", failed=(failed,)),
        error=ErrorSignature("E", TOKEN),
    )
    stream = Stream(bytes=1, blake2b="a" * 64, head_bytes=1, tail_bytes=0)
    ended = redactor.fact(StepEnded(step=1, exit_code=1, stdout=stream, signals=signals))
    assert TOKEN not in repr(ended)
    assert ended.stdout == stream
    changed = WorkspaceChanged(epoch="0" * 32, paths=(f"dir/{TOKEN}",), count=1)
    assert redactor.fact(changed).paths == ("dir/<redacted:github>",)


def test_a_fact_without_a_secret_is_the_very_same() -> None:
    fact = RunStarted(
        run_id="20250101-000000-abcdef", schema=1, microloop_version="0", started_at="2025-01-01T00:00:00", cwd="/w",
        argv=("codex", "exec", "--token-file", "x"), workspace="/w", backend="bwrap", epoch="0" * 32,
    )  # fmt: skip
    assert Redactor({"K": "not in there"}).fact(fact) is fact


def test_what_stands_for_a_secret_is_a_word_of_the_shell() -> None:
    marked = meaning("curl -u x:<redacted:github> https://a.invalid/b -H y:<MY_TOKEN> z")
    assert marked == meaning("curl -u x:-redacted:github- https://a.invalid/b -H y:-MY_TOKEN- z")
    assert marked.writes == meaning("curl -u x:y https://a.invalid/b -H y:z z").writes
    assert meaning("cat <<EOF >out\nx\nEOF").paths == ("out",)


def test_an_argument_that_an_option_calls_a_secret_is_redacted() -> None:
    argv = ("mysql", "--password", "lowercase", "--api-key", "<K>", "--token", "--verbose", "db")
    assert Redactor().arguments(argv)[1:] == (
        "--password", "<redacted:assigned>", "--api-key", "<K>", "--token", "--verbose", "db",
    )  # fmt: skip
