"""The network log, and what `inspect` says of it: who was refused, why, and how to allow it."""

from __future__ import annotations

import json

import pytest

from microloop_cli.view.cells import width_of
from microloop_cli.view.networklog import REQUESTS_SHOWN, network_lines
from microloop_cli.view.requestfold import HOSTS_KEPT
from microloop_cli.view.runview import run_view
from microloop_cli.view.trafficdocs import log_document
from tests.view.ledgers import Story
from tests.view.talks import Talk, repair_story
from tests.view.test_terminal import NASTY, assert_harmless, run_text, shown

LOG_AT_80 = """\
network of run 20260102-030405-abc123
  1 allowed, 3 refused, 1.2 KiB out, 3.8 MiB in
      n        at  method   host                                            took
      1    35.3 s  CONNECT  pypi.org:443                       allowed    0.20 s
      by pypi, at 151.101.0.223, 1.2 KiB out, 3.8 MiB in
      2    35.5 s  CONNECT  evil.example:443                   REFUSED
      why: no rule of the policy names it; allow it with --allow evil.example or
      under network.allow
      3    35.5 s  CONNECT  evil.example:443                   REFUSED
      4    35.5 s  CONNECT  evil.example:443                   REFUSED
"""
PRIVATE = "microloop: network: it resolves to 10.0.0.7, a private address"


def log(talk: Story, width: int = 80, show_all: bool = False) -> str:
    return shown(network_lines(run_view(talk.entries, network_log=True), width, show_all))


def test_a_log_reads_like_this() -> None:
    assert log(repair_story()) == LOG_AT_80


def test_a_run_without_requests_says_so() -> None:
    assert "no request came to the proxy" in log(Story().finish())
    assert "network" not in run_text(Story().finish()).splitlines()


def test_inspect_names_refused_hosts_once_with_the_way_to_allow_them() -> None:
    told = run_text(repair_story())
    assert (
        "network  1 allowed, 3 refused, 1.2 KiB out, 3.8 MiB in\n"
        "  refused    evil.example:443, 3 times\n"
        "             no rule of the policy names it; allow it with --allow evil.example\n"
        "             or under network.allow\n"
    ) in told


@pytest.mark.parametrize(
    ("more", "hint"),
    [
        ({"reason": ""}, "to allow it: microloop run --allow evil.example:8443, or add it"),
        ({"reason": PRIVATE, "rule": "*.example", "address": "10.0.0.7"}, "add 10.0.0.7 to network.private"),
        ({"reason": "it is denied", "rule": "evil.example"}, "take evil.example out of network.deny"),
    ],
)
def test_a_reason_that_does_not_say_how_to_allow_it_gets_a_hint(more: dict[str, str], hint: str) -> None:
    talk = Talk()
    talk.bar(port=8443, **more)
    assert hint in log(talk)
    assert hint in run_text(talk, 100)


def test_a_host_that_has_no_name_is_not_helped_by_an_allowance() -> None:
    talk = Talk()
    talk.bar(reason="it cannot be resolved", rule="*.example")
    assert "to allow it" not in log(talk)


def test_a_request_that_broke_off_or_has_no_end_says_so() -> None:
    talk = Talk()
    talk.reach(error="the server hung up", status=502)
    talk.reach()
    talk.entries.pop()
    assert "HTTP 502, 1.2 KiB out, 3.8 MiB in, broke off: the server hung up" in log(talk, 120)
    assert "no end recorded" in log(talk)
    assert "broke off  1 request" in run_text(talk)


def test_many_requests_show_both_ends_and_all_shows_each() -> None:
    talk = Talk()
    for n in range(1000):
        talk.bar(f"h{n}.example")
    assert "... 600 requests left out (--all shows them) ..." in log(talk)
    assert log(talk).count("REFUSED") == 2 * REQUESTS_SHOWN
    assert log(talk, show_all=True).count("REFUSED") == 1000
    network = run_view(talk.entries).network
    assert (len(network.refused_hosts), network.hosts_omitted) == (HOSTS_KEPT, 1000 - HOSTS_KEPT)
    assert "992 hosts more refused" in run_text(talk)


def test_requests_are_kept_only_when_the_log_is_wanted() -> None:
    view = run_view(repair_story().entries)
    assert (view.requests, view.network.refused) == ((), 3)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_of_it_can_act_on_the_terminal_and_lines_fit(width: int) -> None:
    talk = Talk()
    talk.reach(NASTY, rule=NASTY, method=NASTY, error=NASTY)
    talk.bar(NASTY * 20, reason=NASTY * 20, method=NASTY)
    for told in (log(talk, width), run_text(talk, width)):
        assert_harmless(told)
        assert all(width_of(row) <= width for row in told.splitlines())


def test_the_same_as_json() -> None:
    document = log_document(run_view(repair_story().entries, network_log=True))
    assert json.loads(json.dumps(document)) == document
    allowed, refused = document["requests"][:2]
    assert (allowed["host"], allowed["rule"], allowed["received_bytes"]) == ("pypi.org", "pypi", 4_000_000)
    assert (refused["allowed"], refused["received_bytes"]) == (False, None)
    assert "--allow evil.example" in refused["to_allow"]
    assert document["network"]["refused_hosts"][0]["count"] == 3
