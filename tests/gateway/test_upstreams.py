"""Where a call goes and what it carries."""

from __future__ import annotations

from microloop_cli.gateway.upstream import Upstream, outgoing, target, upstreams_of


def test_a_token_of_a_login_goes_where_logins_go_and_a_key_where_keys_go() -> None:
    login = upstreams_of({"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-x"}, {})["anthropic"]
    assert ("Authorization", "Bearer sk-ant-oat01-x") in outgoing("anthropic", login.key, [])
    both = upstreams_of({"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-x", "ANTHROPIC_API_KEY": "sk-ant-y"}, {})
    assert ("x-api-key", "sk-ant-y") in outgoing("anthropic", both["anthropic"].key, [])


def test_a_client_that_leaves_the_version_out_reaches_messages_all_the_same() -> None:
    assert target(Upstream("https://api.anthropic.com"), "/messages?beta=true") == (
        "https://api.anthropic.com/v1/messages?beta=true"
    )
    assert target(Upstream("https://host.example/v1"), "/messages") == "https://host.example/v1/messages"
