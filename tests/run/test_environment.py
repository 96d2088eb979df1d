"""environment.json and the shown plan hold no value the user passed on."""

from __future__ import annotations

from microloop_cli.run.environment import masked


def test_passed_on_values_are_masked_wherever_they_stand() -> None:
    plan = {
        "argv": ["--setenv", "KEY", "sk-12345"],
        "env": {"URL": "http://u:sk-12345@host"},
        "n": 3,
        "no": None,
    }
    assert masked(plan, {"KEY": "sk-12345"}) == {
        "argv": ["--setenv", "KEY", "<KEY>"],
        "env": {"URL": "http://u:<KEY>@host"},
        "n": 3,
        "no": None,
    }


def test_a_value_that_contains_another_is_masked_whole() -> None:
    given = {"SHORT": "secret", "LONG": "secret-and-more"}
    assert masked(["secret-and-more", "secret"], given) == ["<LONG>", "<SHORT>"]


def test_values_too_short_to_be_secret_do_not_tear_up_the_rest() -> None:
    assert masked(["/usr/bin/1", "true"], {"A": "1", "B": "true"}) == ["/usr/bin/1", "true"]
