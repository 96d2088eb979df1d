"""The doors' variables are the ones that clients read: seen with the clients themselves, at a proxy that says no."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from microloop_cli.gateway.model import Provider
from microloop_cli.policy.agent_setup import setup_variables
from microloop_cli.policy.profiles import load_agent
from microloop_cli.run.agent_environment import door_variables, missing_key, template_values
from tests.needs import need

MODEL, EGRESS = "http://127.0.0.1:21411", "http://127.0.0.1:21412"
FETCH = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=10)"


class _Refusing(BaseHTTPRequestHandler):
    def do_CONNECT(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")  # type: ignore[attr-defined]
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_CONNECT

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def proxy() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def asked_at(proxy: ThreadingHTTPServer, command: list[str], folder: Path) -> list[str]:
    """What the proxy is asked for when the command runs with the variables of an egress door."""
    egress = f"http://127.0.0.1:{proxy.server_address[1]}"
    env = {**door_variables("", egress, {}), "PATH": os.environ["PATH"], "HOME": str(folder)}
    subprocess.run(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    asked: list[str] = proxy.asked  # type: ignore[attr-defined]
    return asked


PIP = "-m pip --isolated --no-input download --retries 0 --no-deps --index-url https://index.invalid/ nothing-such"
NPM = "view nothing-such --registry=https://registry.invalid/ --fetch-retries=0"


@pytest.mark.parametrize(
    ("program", "arguments", "first"),
    [
        ("curl", "-sS https://host.invalid/x", "CONNECT host.invalid:443"),
        ("curl", "-sS http://host.invalid/x", "GET http://host.invalid/x"),
        ("git", "ls-remote https://host.invalid/x.git", "CONNECT host.invalid:443"),
        ("npm", NPM, "CONNECT registry.invalid:443"),
        (sys.executable, PIP, "CONNECT index.invalid:443"),
    ],
    ids=["curl https", "curl http", "git", "npm", "pip"],
)  # fmt: skip
def test_a_client_goes_to_the_egress_door_by_itself(
    proxy: ThreadingHTTPServer, tmp_path: Path, program: str, arguments: str, first: str
) -> None:
    command = [str(need(program)), *arguments.split()]
    assert asked_at(proxy, command, tmp_path)[:1] == [first]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_never_asked_of_the_egress_door(
    proxy: ThreadingHTTPServer, tmp_path: Path, host: str
) -> None:
    url = f"http://{host}:{proxy.server_address[1]}/direct"
    curl = [str(need("curl")), "-sS", url]
    assert asked_at(proxy, curl, tmp_path) == ["GET /direct"]
    assert asked_at(proxy, [sys.executable, "-c", FETCH, url], tmp_path) == ["GET /direct"] * 2


def test_build_tools_of_the_jvm_are_told_in_options_of_their_own() -> None:
    variables = door_variables("", EGRESS, {})
    assert "JAVA_TOOL_OPTIONS" not in variables, "each JVM would say so on stderr"
    for name in ("MAVEN_OPTS", "GRADLE_OPTS", "SBT_OPTS"):
        words = variables[name].split()
        assert {"-Dhttp.proxyHost=127.0.0.1", "-Dhttps.proxyPort=21412"} <= set(words)
        assert "-Dhttp.nonProxyHosts=localhost|127.*|[::1]" in words


def test_without_a_door_there_is_nothing_to_be_told() -> None:
    assert door_variables("", "", {"openai": "microloop-openai-1"}) == {}
    values = template_values("", {"openai": "microloop-openai-1"}, "/h")
    assert values == {"home": "/h", "anthropic_key_end": "", "contained": ""}


def test_in_a_sandbox_claude_and_gemini_are_told_so() -> None:
    values = template_values(MODEL, {}, "/h")
    assert setup_variables(load_agent("claude").setup, values)["IS_SANDBOX"] == "1"
    assert setup_variables(load_agent("gemini").setup, values)["GEMINI_CLI_TRUST_WORKSPACE"] == "true"


def test_outside_a_sandbox_no_agent_is_told_that_it_is_in_one() -> None:
    variables: dict[str, str] = {}
    for name in ("claude", "gemini"):
        values = template_values(MODEL, {"google": "microloop-google-1"}, "/h", contained=False)
        variables |= setup_variables(load_agent(name).setup, values)
    assert "GEMINI_API_KEY" in variables
    assert not variables.keys() & {"IS_SANDBOX", "GEMINI_CLI_TRUST_WORKSPACE"}


def test_addresses_of_all_providers_are_the_model_doors() -> None:
    variables = door_variables(MODEL, "", {})
    assert variables["OPENAI_BASE_URL"] == variables["OPENAI_API_BASE"] == f"{MODEL}/v1"
    assert variables["ANTHROPIC_BASE_URL"] == variables["GOOGLE_GEMINI_BASE_URL"] == MODEL
    assert variables["GEMINI_API_BASE"] == f"{MODEL}/v1beta"
    assert not any("KEY" in name or "PROXY" in name.upper() for name in variables)


def test_a_placeholder_stands_in_the_variable_that_the_user_has() -> None:
    placeholders: dict[Provider, str] = {"openai": "microloop-openai-1", "google": "microloop-google-1"}
    variables = door_variables(MODEL, "", placeholders, {"GOOGLE_API_KEY"})
    keys = {name: value for name, value in variables.items() if name.endswith("_KEY")}
    assert keys == {"OPENAI_API_KEY": "microloop-openai-1", "GOOGLE_API_KEY": "microloop-google-1"}
    assert "GEMINI_API_KEY" in door_variables(MODEL, "", placeholders)


def test_claude_knows_a_key_by_its_last_20_characters() -> None:
    values = template_values(
        MODEL, {"anthropic": "microloop-anthropic-0123456789abcdef0123456789abcdef"}, "/h"
    )
    assert values["anthropic_key_end"] == "cdef0123456789abcdef"
    assert (values["openai"], values["home"]) == (f"{MODEL}/v1", "/h")
    assert "openai_key" not in values


def test_one_without_a_key_is_told_what_his_agent_will_miss() -> None:
    claude = load_agent("claude")
    said = missing_key(claude, {"openai": "microloop-openai-1"})
    assert said is not None
    assert said.startswith("claude will find no key, and no login in the sandbox: set ANTHROPIC_API_KEY, or ")
    assert "CLAUDE_CODE_OAUTH_TOKEN" in said
    assert missing_key(claude, {"anthropic": "microloop-anthropic-1"}) is None
    assert missing_key(load_agent("generic"), {}) is None


def test_where_the_user_names_another_address_himself_nothing_leads_elsewhere() -> None:
    placeholders: dict[Provider, str] = {"openai": "microloop-openai-1", "google": "microloop-google-1"}
    variables = door_variables(MODEL, "", placeholders, given={"OPENAI_API_BASE"})
    assert not any(name.startswith("OPENAI") for name in variables)
    assert variables["ANTHROPIC_BASE_URL"] == MODEL
    assert variables["GEMINI_API_KEY"] == "microloop-google-1"
