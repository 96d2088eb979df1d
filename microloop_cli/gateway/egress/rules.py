"""The policy's network rules: `[METHOD[,METHOD] ]HOST[:PORT[,PORT]]`, and what they decide. Pure."""

from __future__ import annotations

import re

import msgspec

from microloop_cli.errors import PolicyError
from microloop_cli.gateway.egress.addresses import Network
from microloop_cli.gateway.egress.hosts import Address, host_and_port, policy_host, shown

DEFAULT_PORTS = (80, 443)
_METHODS = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
    "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH",
}  # fmt: skip
_ENTRY = re.compile(
    r"(?:(?P<methods>[A-Za-z]+(?:,[A-Za-z]+)*) +)?"
    r"(?P<host>\[[^\[\]]*\]|[^\s:\[\]/@]+)(?::(?P<ports>[0-9,]+))?"
)
_HINT = "HOST, *.DOMAIN, HOST:PORT, GET HOST, [IPv6]:PORT, or one of pypi, npm, crates, go, debian, github"


class Rule(msgspec.Struct, frozen=True):
    """host: a normal host, "*" for every one. below: what lies under it instead of it. ports and methods:
    empty for all. entry: what stands in the policy (the preset's name for those of a preset).
    """

    entry: str
    host: str
    below: bool = False
    ports: tuple[int, ...] = ()
    methods: tuple[str, ...] = ()

    def names(self, host: str) -> bool:
        """Whether the rule speaks of the normal host, whatever its port and method."""
        if self.below:
            return host.endswith("." + self.host)
        return self.host in ("*", host)

    def covers_port(self, port: int) -> bool:
        return not self.ports or port in self.ports


class Rules(msgspec.Struct, frozen=True):
    """Nothing is allowed but what `allow` names; `deny` wins. private: see addresses."""

    allow: tuple[Rule, ...] = ()
    deny: tuple[Rule, ...] = ()
    private: tuple[Network, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """rule: the entry that decided, "" when none did. reason: one line for the agent, "" when allowed."""

    allowed: bool
    rule: str = ""
    reason: str = ""


def read_rule(entry: str, path: str, *, default_ports: tuple[int, ...] = DEFAULT_PORTS) -> Rule:
    """One entry that is no preset; without a port it is for `default_ports` (empty: all).

    Raises PolicyError that names the key path and the entry.
    """
    match = _ENTRY.fullmatch(entry.strip())
    if match is None:
        raise PolicyError(f"{path}: {shown(entry)} is no rule: {_mistake(entry)}", hint=_HINT)
    text = match["host"]
    below = text.startswith("*.")
    try:
        host = "*" if text == "*" else policy_host(text[2:] if below else text)
        ports = _ports(match["ports"]) or default_ports
        methods = _methods(match["methods"])
    except ValueError as error:
        raise PolicyError(f"{path}: {shown(entry)} is no rule: {error}", hint=_HINT) from None
    if below and (":" in host or host.rpartition(".")[2].isdigit()):
        raise PolicyError(f"{path}: {shown(entry)} is no rule: nothing lies under an address", hint=_HINT)
    return Rule(entry.strip(), host, below, ports, methods)


def decide(rules: Rules, method: str, host: str, port: int) -> Decision:
    """What becomes of a request for a normal host. method: CONNECT for a tunnel."""
    method = method.upper()
    where = host_and_port(host, port)
    for rule in rules.deny:
        if rule.names(host) and rule.covers_port(port) and _denies(rule, method):
            return Decision(False, rule.entry, _denied(where, rule, method))
    naming = [rule for rule in rules.allow if rule.names(host)]
    for rule in naming:
        if rule.covers_port(port) and _allows(rule, method):
            return Decision(True, rule.entry)
    entry = host_and_port(host, port) if port not in DEFAULT_PORTS else (f"[{host}]" if ":" in host else host)
    return Decision(False, "", _not_allowed(where, entry, _why(naming, method, port)))


def denied_address(rules: Rules, method: str, address: Address, port: int) -> Decision | None:
    """The refusal when a deny rule names the address that a host turned out to have, else None."""
    decision = decide(Rules(deny=rules.deny), method, str(address), port)
    return decision if decision.rule else None


def _allows(rule: Rule, method: str) -> bool:
    return not rule.methods or method in rule.methods


def _denies(rule: Rule, method: str) -> bool:
    """A tunnel is denied where any method is: nobody sees which are used in it."""
    return not rule.methods or method in rule.methods or method == "CONNECT"


def _denied(where: str, rule: Rule, method: str) -> str:
    hidden = rule.methods and method not in rule.methods
    why = "; what runs in a tunnel cannot be seen" if hidden else ""
    by = f"{where} is denied by {shown(rule.entry)} under network.deny"
    return f"microloop: network: {by}{why}; deny wins over allow"


def _not_allowed(where: str, entry: str, why: str) -> str:
    return (
        f"microloop: network: {where} is not allowed: {why}; "
        f"allow it with --allow {entry} or under network.allow"
    )


def _why(naming: list[Rule], method: str, port: int) -> str:
    """Why rules that speak of the host do not allow the request."""
    if not naming:
        return "no rule of the policy names it"
    here = [rule for rule in naming if rule.covers_port(port)]
    if not here:
        ports = sorted({port for rule in naming for port in rule.ports})
        return f"{shown(naming[0].entry)} is for port {', '.join(map(str, ports[:8]))} only"
    methods = ", ".join(sorted({method for rule in here for method in rule.methods})[:8])
    if method == "CONNECT":
        return f"{shown(here[0].entry)} is for {methods} only, and what runs in a tunnel cannot be seen"
    return f"{shown(here[0].entry)} is for {methods} only, not {method[:20]}"


def _ports(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    ports = []
    for part in text.split(","):
        if not part or len(part) > 5 or not 1 <= int(part) <= 65_535:
            raise ValueError(f"{shown(part)} is no port")
        ports.append(int(part))
    return tuple(dict.fromkeys(ports))


def _methods(text: str | None) -> tuple[str, ...]:
    methods = tuple(dict.fromkeys(text.upper().split(","))) if text else ()
    for method in methods:
        if method not in _METHODS:
            raise ValueError(f"{shown(method)} is no method of HTTP")
    return methods


def _mistake(entry: str) -> str:
    """What people write instead, told to them."""
    if "://" in entry:
        return "a rule has no scheme"
    if "/" in entry:
        return "a rule has no path, and no CIDR: those go under network.private"
    if "@" in entry:
        return "a rule has no user"
    if entry.count(":") > 1:
        return "an IPv6 address needs brackets"
    return "expected a host"
