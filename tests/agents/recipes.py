"""How agents that others wrote are run without a person and without a model of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.needs import need_agent, need_docker_image

PROMPT = "Fix the failing test"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One agent in one sandbox. `program` finds it; `arguments` and `env` take the model's address."""

    name: str
    sandbox: Literal["bwrap", "docker"]
    program: Callable[[], str]
    options: Callable[[], list[str]]
    arguments: Callable[[str], list[str]]
    env: Callable[[str], dict[str, str]]
    closes_with: tuple[str, ...] = ()

    def command_line(self, url: str) -> list[str]:
        """Arguments of `microloop run` for this agent and a model at `url`."""
        given = [f"--env={name}={value}" for name, value in self.env(url).items()]
        agent = [self.program(), *self.arguments(url)]
        return ["--network", "host", *self.options(), *given, "--", *agent]


def _mini_arguments(url: str) -> list[str]:
    fixed = ["-y", "--exit-immediately", "-m", "openai/gpt-4o"]
    return [*fixed, "-o", "/tmp/trajectory.json", "-t", PROMPT]


def _mini_env(url: str) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": "sk-fake",
        "OPENAI_API_BASE": f"{url}/v1",
        "OPENAI_BASE_URL": f"{url}/v1",
        "MSWEA_CONFIGURED": "true",
        "MSWEA_COST_TRACKING": "ignore_errors",
        "MSWEA_SILENT_STARTUP": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT": "1",
    }


def _claude_arguments(url: str) -> list[str]:
    fixed = ["-p", "--dangerously-skip-permissions", "--output-format", "json"]
    return [*fixed, "--model", "claude-sonnet-4-5", PROMPT]


def _claude_env(url: str) -> dict[str, str]:
    return {
        "IS_SANDBOX": "1",
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "sk-ant-fake",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }


def _codex_arguments(url: str) -> list[str]:
    provider = f'name="fake",base_url="{url}/v1",env_key="FAKE_KEY",wire_api="responses"'
    settings = [
        "features.plugins=false",
        "features.apps=false",
        "analytics.enabled=false",
        "check_for_update_on_startup=false",
        'model_provider="fake"',
        f"model_providers.fake={{{provider},request_max_retries=0,stream_max_retries=0}}",
    ]
    flags = ["exec", "--skip-git-repo-check", "--ephemeral", "--dangerously-bypass-approvals-and-sandbox"]
    return [*flags, *(part for setting in settings for part in ("-c", setting)), "-m", "gpt-5-codex", PROMPT]


def _codex_env(url: str) -> dict[str, str]:
    return {"FAKE_KEY": "sk-fake"}


SUBMIT = ("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT",)
RECIPES = (
    Recipe(
        "mini-swe-agent in bwrap",
        "bwrap",
        lambda: str(need_agent("mini")),
        lambda: [],
        _mini_arguments,
        _mini_env,
        SUBMIT,
    ),
    Recipe(
        "mini-swe-agent in docker",
        "docker",
        lambda: "mini",
        lambda: ["--image", need_docker_image()],
        _mini_arguments,
        _mini_env,
        SUBMIT,
    ),
    Recipe(
        "claude-code in bwrap",
        "bwrap",
        lambda: str(need_agent("claude")),
        lambda: [],
        _claude_arguments,
        _claude_env,
    ),
    Recipe(
        "codex in bwrap",
        "bwrap",
        lambda: str(need_agent("codex")),
        lambda: [],
        _codex_arguments,
        _codex_env,
    ),
)
