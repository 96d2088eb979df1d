"""What an agent prints, writes and passes on: no secret of it is found in the bundle."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.bundle.planted import made, secrets
from tests.e2e.running import Finished, microloop, output_of, run_script
from tests.e2e.test_replay import judged_again
from tests.needs import need

GIVEN = "v&lue " + made("given", 20)
HOST = made("host", 28)


def _found_in(bundle: Path, parts: list[str]) -> list[str]:
    """Where which part stands."""
    files = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    return [
        f"{path.relative_to(bundle)}: {part}"
        for path, content in files.items()
        for part in parts
        if part.encode() in content or part.encode() in str(path).encode()
    ]


def _checked(done: Finished, parts: list[str]) -> None:
    assert done.exit_code == 0, done.said()
    assert _found_in(done.bundle, parts) == []
    verified = microloop(done.workspace, "verify")
    assert verified.exit_code == 0, verified.said()
    again = judged_again(done)
    assert again.difference is None
    assert again.state.ended


def test_thirty_kinds_of_secrets_are_nowhere_in_the_bundle(repository: Path) -> None:
    planted = secrets()
    assert len(planted) >= 30
    script = ""
    for number, (text, _) in enumerate(planted.values()):
        word = shlex.quote(text)
        script += f"/bin/echo {word}; /bin/echo {word} >&2; /bin/echo {word} > leaked-{number}.txt\n"
        script += f"env LEAKED={word} sh -c '/bin/echo \"$LEAKED\"' {word}\n"
    script += "cat leaked-*.txt; cat leaked-1.txt >> notes.txt; ls\n"
    done = run_script(repository, script, "--max-steps", "1000")
    _checked(done, [part for _, parts in planted.values() for part in parts])
    assert "<redacted:github>" in (done.bundle / "events.jsonl").read_text()
    assert "<redacted:jwt>" in output_of(done.bundle, len(done.inspect()["steps"]) - 2)


def test_values_the_agent_was_given_and_the_hosts_own_are_not_in_the_bundle(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", HOST)
    (repository / "found.txt").write_text(f"it was {HOST} all the time\n")
    script = f"""
/bin/echo "$MY_VALUE" "$NODE_ENV"; /bin/echo "$MY_VALUE" | base64 -w0; /bin/echo "x:{HOST}" | base64
cat found.txt; python3 -c 'import os, urllib.parse as u; print(u.quote(os.environ["MY_VALUE"], safe=""))'
python3 -c 'raise SystemExit("bad " + __import__("os").environ["MY_VALUE"])'
/bin/echo more >> found.txt
"""
    done = run_script(repository, script, "--env", f"MY_VALUE={GIVEN}", "--env", "NODE_ENV=production")
    coded = [base64.b64encode(value.encode()).decode()[:-6] for value in (GIVEN, HOST, f"x:{HOST}")]
    _checked(done, [GIVEN, HOST, quote(GIVEN, safe=""), *coded])
    assert "<MY_VALUE> production" in output_of(done.bundle, 1)
    assert "it was <DEPLOY_TOKEN> all the time" in "".join(output_of(done.bundle, n) for n in range(1, 9))


def test_the_patch_leaves_out_files_with_secrets_and_says_so(repository: Path) -> None:
    need("git")
    token = secrets()["github-classic"][0]
    (repository / "config.ini").write_text(f"token = {token}\nsize = 1\n")
    script = f"echo more >> notes.txt; echo 'size = 2' >> config.ini; echo {token} > new.txt\n"
    done = run_script(repository, script)
    _checked(done, [token])
    changes = json.loads((done.bundle / "workspace" / "changes.json").read_text())["changes"]
    told = {change["path"]: change.get("left_out", "") for change in changes}
    assert told["config.ini"] == told["new.txt"] == "not kept: holds a secret"
    patch = done.bundle / "workspace" / "changes.patch"
    assert "holds a secret: new.txt" in patch.read_text()
    subprocess.run(["git", "apply", "-R", str(patch)], cwd=repository, check=True)
    assert (repository / "notes.txt").read_text() == "one\ntwo\n"


def test_a_secret_is_not_found_where_a_long_output_was_cut(workspace: Path) -> None:
    token, key = secrets()["gitlab"][0], secrets()["private-key-rsa"][0]
    script = f"""
python3 -c 'import sys; t = sys.argv[1]; sys.stdout.write(("x" * 63 + "\\n") * 2047 + "x" * 50 + " " + t + "\\n")
sys.stdout.write(("y" * 63 + "\\n") * 9000)' {token}
python3 -c 'import sys; t = sys.argv[1]; sys.stdout.write(("x" * 63 + "\\n") * 9000 + t)
sys.stdout.write("\\n" + "y" * (131072 - 201))' {shlex.quote(key)}
"""
    done = run_script(workspace, script)
    _checked(done, [token[:12], token[12:24], *key.splitlines()[1:5], key.splitlines()[3][30:60]])
