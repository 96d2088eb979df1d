"""The variables by which an agent finds the two doors, and what fills its profile's templates. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.upstream import KEY_VARIABLES
from microloop_cli.policy.profiles import Agent

# Never through the proxy: the model door, and servers of the agent's own. httpx falls over brackets.
NOT_PROXIED = ("127.0.0.1", "localhost", "::1")
_KEY_END_CHARS = 20


def template_values(
    model: str, placeholders: Mapping[Provider, str], home: str, *, contained: bool = True
) -> dict[str, str]:
    """What a profile's templates (policy.agent_setup.VALUES) stand for.

    model: base address of the model door, "" without one: then there is no value of it. placeholders: of
    providers whose key the gateway adds. contained: not the user's own account and HOME (backend none).
    """
    end = placeholders.get("anthropic", "")[-_KEY_END_CHARS:]
    values = {"home": home, "anthropic_key_end": end}
    if contained:
        values["contained"] = ""
    if not model:
        return values
    values |= {"openai": f"{model}/v1", "anthropic": model, "google": model}
    return values | {f"{provider}_key": text for provider, text in placeholders.items()}


def door_variables(
    model: str,
    egress: str,
    placeholders: Mapping[Provider, str],
    environ: Collection[str] = (),
    given: Collection[str] = (),
) -> dict[str, str]:
    """Both doors' variables for any agent. model, egress: base addresses, "" where there is no such door.

    placeholders: of providers whose key the gateway adds. environ: names of the user's own variables: of a
    provider's key variables the agent gets those that the user has, else the first. given: names of variables
    to which the user gives values himself: where one is a provider's address, he leads the agent elsewhere,
    and nothing is set for that provider.
    """
    variables = _proxy_variables(egress)
    for provider, addresses in _addresses(model).items():
        if any(name in given for name in addresses):
            continue
        variables |= addresses
        if provider in placeholders:
            names = KEY_VARIABLES[provider]
            had = [name for name in names if name in environ] or names[:1]
            variables |= dict.fromkeys(had, placeholders[provider])
    return variables


def missing_key(agent: Agent, placeholders: Mapping[Provider, str]) -> str | None:
    """What to tell the user whose agent has neither a key nor, in a HOME of its own, a login; else None.

    placeholders: of providers whose key the gateway adds.
    """
    wanted = agent.setup.keys
    if not wanted or any(provider in placeholders for provider in wanted):
        return None
    names = " or ".join(KEY_VARIABLES[provider][0] for provider in wanted)
    said = f"{agent.profile.name} will find no key, and no login in the sandbox: set {names}"
    return f"{said}, or {agent.setup.login}" if agent.setup.login else said


def _addresses(model: str) -> dict[Provider, dict[str, str]]:
    if not model:
        return {}
    return {
        "openai": dict.fromkeys(("OPENAI_BASE_URL", "OPENAI_API_BASE"), f"{model}/v1"),
        "anthropic": dict.fromkeys(("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"), model),
        # litellm puts /models/... behind the second
        "google": {"GOOGLE_GEMINI_BASE_URL": model, "GEMINI_API_BASE": f"{model}/v1beta"},
    }


def _proxy_variables(egress: str) -> dict[str, str]:
    """What clients read: nearly all take HTTPS_PROXY in one of its spellings.

    curl and wget read HTTP_PROXY in lower case only; node (22.21, 24.5) wants to be told to look at all (22
    then warns once a process that this is experimental); yarn and the JVM have names of their own.
    JAVA_TOOL_OPTIONS would reach every JVM, but each then says so on stderr: only the build tools are told.
    """
    if not egress:
        return {}
    skipped = ",".join(NOT_PROXIED)
    variables: dict[str, str] = {}
    for name, value in (("http", egress), ("https", egress), ("all", egress), ("no", skipped)):
        variables |= {f"{name}_proxy": value, f"{name.upper()}_PROXY": value}
    variables |= {"NODE_USE_ENV_PROXY": "1", "YARN_HTTP_PROXY": egress, "YARN_HTTPS_PROXY": egress}
    options = _java_options(egress)
    maven = f"{options} -Daether.connector.http.useSystemProperties=true"
    return variables | {"MAVEN_OPTS": maven, "GRADLE_OPTS": options, "SBT_OPTS": options}


def _java_options(egress: str) -> str:
    parts = urlsplit(egress)
    told = [
        f"-D{scheme}.proxy{what}={value}"
        for scheme in ("http", "https")
        for what, value in (("Host", parts.hostname), ("Port", parts.port))
    ]
    return " ".join([*told, "-Dhttp.nonProxyHosts=localhost|127.*|[::1]"])
