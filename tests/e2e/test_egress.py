"""What leaves the sandbox beside model calls: real clients through the egress proxy, allowed and refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.local_web import ADDRESS, LocalWeb
from tests.e2e.running import Finished, microloop, run, run_script
from tests.needs import need, need_bwrap


@pytest.fixture
def web(tmp_path: Path, workspace: Path) -> Iterator[LocalWeb]:
    need_bwrap()
    folder = tmp_path / "web"
    folder.mkdir()
    with LocalWeb(folder, workspace / "authority.pem") as served:
        yield served


def policy_allowing(workspace: Path, *rules: str) -> str:
    """A policy file that lets these through, at an address that is private."""
    path = workspace.parent / "egress.yaml"
    allowed = "".join(f"    - {rule}\n" for rule in rules) or "    []\n"
    path.write_text(f"network:\n  allow:\n{allowed}  private: [{ADDRESS}]\n")
    return str(path)


def trusting(workspace: Path) -> list[str]:
    """Options that make every client trust the test authority."""
    names = ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE")
    return [f"--env={name}={workspace / 'authority.pem'}" for name in names]


def pip_install(workspace: Path, web: LocalWeb, policy: str) -> Finished:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--no-cache-dir",
        "--retries",
        "0",
    ]
    goal = ["--target", str(workspace / "out"), "-i", f"{web.url}/simple", "sample_thing"]
    return run(workspace, "--policy", policy, *trusting(workspace), "--", *pip, *goal)


def test_pip_installs_from_an_allowed_index(workspace: Path, web: LocalWeb) -> None:
    web.add_wheel("sample_thing")
    done = pip_install(workspace, web, policy_allowing(workspace, f"{ADDRESS}:{web.port}"))
    assert done.exit_code == 0, done.said()
    assert "allowed index" in (workspace / "out" / "sample_thing.py").read_text()
    asked = done.events("network_asked")
    assert {(event["method"], event["host"], event["port"]) for event in asked} == {
        ("CONNECT", ADDRESS, web.port)
    }
    assert all(event["allowed"] for event in asked)


def test_pip_is_refused_by_an_index_that_no_rule_names_and_inspect_says_how_to_allow_it(
    workspace: Path, web: LocalWeb
) -> None:
    web.add_wheel("sample_thing")
    done = pip_install(workspace, web, policy_allowing(workspace))
    assert done.exit_code == 1, done.said()
    assert [event["allowed"] for event in done.events("network_asked")] == [False]
    assert not (workspace / "out").exists()
    shown = microloop(workspace, "inspect")
    assert f"--allow {ADDRESS}:{web.port}" in shown.stdout, shown.stdout


def test_npm_git_and_curl_reach_what_is_allowed(workspace: Path, web: LocalWeb, tmp_path: Path) -> None:
    need("npm", "git", "curl")
    web.add_file("hello.txt", b"hello from outside\n")
    web.add_npm_package("sample-thing")
    source = tmp_path / "source"
    script = f"git init -q {source} && cd {source} && echo hi > a.txt && git add . && git -c user.email=a@b -c user.name=a commit -qm one"
    subprocess.run(["sh", "-c", script], check=True)
    web.add_repository("thing.git", source)
    done = run_script(
        workspace,
        f"""
        curl -sS {web.url}/hello.txt
        git clone -q {web.url}/thing.git cloned && cat cloned/a.txt
        """,
        "--policy", policy_allowing(workspace, f"{ADDRESS}:{web.port}"), *trusting(workspace),
    )  # fmt: skip
    assert "hello from outside" in done.stdout, done.said()
    assert (workspace / "cloned" / "a.txt").read_text() == "hi\n"
    trusted = ["--strict-ssl=false"]  # behind a proxy npm cannot check the certificate of an address
    npm = ["npm", "install", "--no-audit", "--no-fund", *trusted, "--registry", web.url, "sample-thing"]
    policy = policy_allowing(workspace, f"{ADDRESS}:{web.port}")
    installed = run(workspace, "--policy", policy, *trusting(workspace), "--", *npm)
    assert installed.exit_code == 0, installed.said()
    assert (workspace / "node_modules" / "sample-thing" / "index.js").exists()


def test_a_client_without_proxy_settings_has_nowhere_to_go(workspace: Path, web: LocalWeb) -> None:
    script = (
        f"env -u https_proxy -u HTTPS_PROXY -u ALL_PROXY -u all_proxy curl -sS -m 5 {web.url}/ || echo gone $?\n"
        "python3 -c 'import socket; socket.getaddrinfo(\"example.com\", 80)' 2>&1 | tail -1\n"
    )
    need("curl")
    policy = policy_allowing(workspace, f"{ADDRESS}:{web.port}")
    done = run_script(workspace, script, "--policy", policy, *trusting(workspace))
    assert "gone 7" in done.stdout, done.said()
    assert "resolution" in done.stdout or "Name or service" in done.stdout, done.said()


def test_the_metadata_address_is_refused_although_a_rule_names_it(workspace: Path, web: LocalWeb) -> None:
    need("curl")
    policy = policy_allowing(workspace, "169.254.169.254", "localhost")
    script = "curl -sS -m 5 http://169.254.169.254/latest/; curl -sS -m 5 --noproxy '' http://localhost:22/\n"
    done = run_script(workspace, script, "--policy", policy)
    assert "microloop" in done.stdout, done.said()
    assert [event["allowed"] for event in done.events("network_asked")] == [False, False]


def test_plain_http_is_held_to_methods(workspace: Path, web: LocalWeb) -> None:
    need("curl")
    policy = policy_allowing(workspace, f"GET {ADDRESS}:{web.port}")
    script = (
        f"curl -sS -m 5 -X POST http://{ADDRESS}:{web.port}/; curl -sS -m 5 {web.url}/ || echo no tunnel\n"
    )
    done = run_script(workspace, script, "--policy", policy, *trusting(workspace))
    refused = [(event["method"], event["allowed"]) for event in done.events("network_asked")]
    assert refused == [("POST", False), ("CONNECT", False)], done.said()
