"""The rules of a run from the policy's network section, with the presets from `policies/egress/`."""

from __future__ import annotations

from collections.abc import Iterable

from microloop_cli.errors import PolicyError
from microloop_cli.gateway.egress.addresses import read_private
from microloop_cli.gateway.egress.rules import DEFAULT_PORTS, Rule, Rules, read_rule
from microloop_cli.policy.document import read_document
from microloop_cli.policy.layers import nearest
from microloop_cli.policy.load import read_file
from microloop_cli.policy.model import Network
from microloop_cli.resources import policies_dir


def load_rules(network: Network) -> Rules:
    """Reads the presets that are named. Raises PolicyError: `network.allow: ENTRY is no rule: ...`."""
    return Rules(
        allow=_rules(network.allow, "network.allow", DEFAULT_PORTS),
        deny=_rules(network.deny, "network.deny", ()),  # without a port, a denied host is denied on all
        private=read_private(network.private),
    )


def preset_names() -> list[str]:
    """The names that stand for several rules."""
    return sorted(path.stem for path in (policies_dir() / "egress").glob("*.yaml"))


def read_preset(name: str) -> tuple[Rule, ...]:
    """The rules of a shipped preset; each has the preset's name as its entry. Raises PolicyError."""
    label = f"policies/egress/{name}.yaml"
    fields = read_document(read_file(policies_dir() / "egress" / f"{name}.yaml", label), label)
    unknown = sorted(set(fields) - {"name", "rules"})
    rules = fields["rules"].value if "rules" in fields else None
    if unknown or not isinstance(rules, list) or not all(isinstance(item, str) for item in rules):
        raise PolicyError(f"{label}: expected `name` and a list of `rules`")
    read = [read_rule(item, f"{label}: rules") for item in rules]
    return tuple(Rule(name, rule.host, rule.below, rule.ports, rule.methods) for rule in read)


def _rules(entries: Iterable[str], path: str, default_ports: tuple[int, ...]) -> tuple[Rule, ...]:
    presets = preset_names()
    found: list[Rule] = []
    for entry in entries:
        name = entry.strip().lower()
        if name in presets:
            found += read_preset(name)
        else:
            _check_spelling(name, presets, path)
            found.append(read_rule(entry, path, default_ports=default_ports))
    return tuple(found)


def _check_spelling(name: str, presets: list[str], path: str) -> None:
    """A single word could be a host of the local network, but one letter off it is a preset misspelt."""
    near = nearest(name, presets) if name.isalpha() else None
    if near is not None:
        raise PolicyError(
            f"{path}: {name[:80]!r} is no preset",
            hint=f"did you mean {near}? A host that is called so: {name[:80]}:80,443",
        )
