"""The policy's network rules: what they allow, what they deny, and what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.errors import PolicyError
from microloop_cli.gateway.egress.hosts import address_of, normal_host
from microloop_cli.gateway.egress.presets import load_rules, preset_names, read_preset
from microloop_cli.gateway.egress.rules import Rules, decide, read_rule
from microloop_cli.policy.model import Network


def rules(*allow: str, deny: tuple[str, ...] = ()) -> Rules:
    return load_rules(Network(allow=allow, deny=deny))


@pytest.mark.parametrize(
    ("allow", "method", "host", "port", "allowed"),
    [
        ("example.com", "CONNECT", "example.com", 443, True),
        ("example.com", "GET", "example.com", 80, True),
        ("example.com", "CONNECT", "example.com", 22, False),
        ("example.com", "CONNECT", "www.example.com", 443, False),
        ("example.com", "CONNECT", "badexample.com", 443, False),
        ("example.com", "CONNECT", "example.com.evil.org", 443, False),
        ("Example.COM.", "CONNECT", "example.com", 443, True),
        ("*.example.com", "CONNECT", "a.b.example.com", 443, True),
        ("*.example.com", "CONNECT", "example.com", 443, False),
        ("*.example.com", "CONNECT", "badexample.com", 443, False),
        ("example.com:8443,9443", "CONNECT", "example.com", 9443, True),
        ("example.com:8443", "CONNECT", "example.com", 443, False),
        ("GET,head example.com", "HEAD", "example.com", 80, True),
        ("GET example.com", "POST", "example.com", 80, False),
        ("GET example.com", "CONNECT", "example.com", 443, False),
        ("CONNECT example.com", "CONNECT", "example.com", 443, True),
        ("CONNECT example.com", "GET", "example.com", 80, False),
        ("1.2.3.4", "CONNECT", "1.2.3.4", 443, True),
        ("[2606:4700::1]:8443", "CONNECT", "2606:4700::1", 8443, True),
        ("[2606:4700:0:0::1]", "CONNECT", "2606:4700::1", 443, True),
        ("[::ffff:1.2.3.4]", "CONNECT", "1.2.3.4", 443, True),
        ("münchen.example", "CONNECT", "xn--mnchen-3ya.example", 443, True),
        ("*", "CONNECT", "anything.example", 443, True),
        ("*", "CONNECT", "anything.example", 25, False),
        ("pypi", "CONNECT", "files.pythonhosted.org", 443, True),
        ("pypi", "CONNECT", "upload.pypi.org", 443, False),
        ("debian", "GET", "deb.debian.org", 80, True),
        ("debian", "POST", "deb.debian.org", 80, False),
    ],
)  # fmt: skip
def test_a_rule_allows_what_it_names_and_no_more(
    allow: str, method: str, host: str, port: int, allowed: bool
) -> None:
    assert decide(rules(allow), method, host, port).allowed is allowed


@pytest.mark.parametrize(
    ("deny", "method", "host", "port"),
    [
        ("bad.example.com", "CONNECT", "bad.example.com", 443),
        ("bad.example.com", "CONNECT", "bad.example.com", 9999),
        ("*.bad.example.com", "GET", "x.bad.example.com", 80),
        ("POST bad.example.com", "POST", "bad.example.com", 80),
        ("POST bad.example.com", "CONNECT", "bad.example.com", 443),
        ("*.example.com:443", "CONNECT", "bad.example.com", 443),
        ("github", "CONNECT", "github.com", 443),
    ],
)
def test_deny_wins_over_allow(deny: str, method: str, host: str, port: int) -> None:
    allow = ("*.example.com:80,443,9999", "*.bad.example.com", "github")
    decision = decide(rules(*allow, deny=(deny,)), method, host, port)
    assert not decision.allowed
    assert decision.rule == deny
    assert "under network.deny" in decision.reason


def test_nothing_is_allowed_without_a_rule() -> None:
    decision = decide(Rules(), "CONNECT", "example.com", 443)
    assert decision.reason == (
        "microloop: network: example.com:443 is not allowed: no rule of the policy names it; "
        "allow it with --allow example.com or under network.allow"
    )
    assert decision.rule == ""


@pytest.mark.parametrize(
    ("allow", "method", "port", "said"),
    [
        (
            "example.com:8443",
            "CONNECT",
            443,
            "'example.com:8443' is for port 8443 only; allow it with --allow example.com ",
        ),
        ("example.com", "CONNECT", 22, "is for port 80, 443 only; allow it with --allow example.com:22 "),
        ("GET example.com", "POST", 80, "'GET example.com' is for GET only, not POST"),
        ("GET example.com", "CONNECT", 443, "is for GET only, and what runs in a tunnel cannot be seen"),
    ],
)
def test_a_refusal_says_why_the_rules_that_name_the_host_do_not_allow_it(
    allow: str, method: str, port: int, said: str
) -> None:
    assert said in decide(rules(allow), method, "example.com", port).reason


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("https://example.com", "no scheme"),
        ("example.com/path", "no path"),
        ("10.0.0.0/8", "network.private"),
        ("me@example.com", "no user"),
        ("2001:db8::1", "brackets"),
        ("example.com:0", "'0' is no port"),
        ("example.com:70000", "'70000' is no port"),
        ("example.com:443,", "'' is no port"),
        ("*.1.2.3.4", "nothing lies under"),
        ("*.1.2", "no address"),
        ("*.[::1]", "no rule"),
        ("0x7f.1", "no address"),
        ("2130706433", "no address"),
        ("127.1", "no address"),
        ("[::1%lo]", "zone"),
        ("ex ample.com", "'EX' is no method"),
        ("-x.com", "no host name"),
        ("a..b", "no host name"),
        ("a*.com", "no host name"),
        ("faß.de", "punycode"),
        ("", "expected a host"),
        ("a" * 300, "no host name"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_named_with_its_key_path(entry: str, said: str) -> None:
    with pytest.raises(PolicyError) as raised:
        rules(entry)
    assert raised.value.message.startswith("network.allow: ")
    assert said in raised.value.message
    assert raised.value.hint


def test_a_misspelt_preset_is_told() -> None:
    with pytest.raises(PolicyError) as raised:
        rules("githup")
    assert "github" in raised.value.hint


@pytest.mark.parametrize("name", ["crates", "debian", "github", "go", "npm", "pypi"])
def test_every_preset_is_there_and_its_rules_carry_its_name(name: str) -> None:
    assert name in preset_names()
    assert {rule.entry for rule in read_preset(name)} == {name}


@pytest.mark.parametrize(
    "spelling",
    ["0x7f.1", "0x7f000001", "2130706433", "127.1", "127.0.1", "0177.0.0.1", "127.0.0.01", "[::1%25lo]", "[::1%lo]",
     "::1", "[::1", "foo.0x1", "1.2.3.256", "\uff11\uff12\uff17.0.0.1", "a b", "a\0b", "", ".", "a..b", "[1.2.3.4]"],
)  # fmt: skip
def test_odd_spellings_of_addresses_are_no_hosts(spelling: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        normal_host(spelling)


@pytest.mark.parametrize(
    ("spelling", "host"),
    [
        ("[::FFFF:127.0.0.1]", "127.0.0.1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("EXAMPLE.com.", "example.com"),
        ("1.2.3.4.", "1.2.3.4"),
    ],
)
def test_a_host_has_one_spelling(spelling: str, host: str) -> None:
    assert normal_host(spelling) == host


@given(st.text(max_size=40))
def test_any_text_is_a_normal_host_or_an_error(text: str) -> None:
    try:
        host = normal_host(text)
    except ValueError:
        return
    again = f"[{host}]" if ":" in host else host
    assert normal_host(again) == host
    assert host.isascii()
    assert host == host.lower()
    assert address_of(host) is not None or not host.rpartition(".")[2].isdigit()


@given(st.text(max_size=60))
def test_any_entry_is_a_rule_or_a_policy_error(entry: str) -> None:
    try:
        rule = read_rule(entry, "network.allow")
    except PolicyError:
        return
    assert rule.host == "*" or normal_host(f"[{rule.host}]" if ":" in rule.host else rule.host) == rule.host
    assert rule.ports


NAMES = st.from_regex(r"\A[a-z]{1,3}(\.[a-z]{1,3}){0,3}\Z")


@given(NAMES, NAMES, st.sampled_from([80, 443, 22]), st.sampled_from(["GET", "CONNECT"]))
def test_what_is_denied_is_never_allowed(named: str, host: str, port: int, method: str) -> None:
    both = load_rules(Network(allow=("*:22,80,443",), deny=(f"{named}:22,80,443",)))
    assert decide(both, method, host, port).allowed is (host != named)
    below = load_rules(Network(allow=(f"*.{named}",)))
    assert decide(below, method, host, 443).allowed is (host.endswith("." + named))
