"""What a command is for, whether it may write, and the rest of what its meaning tells."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.commands.meaning import meaning

EFFECTS: dict[str, list[str]] = {
    "view no": ["str_replace_editor view a.py", 'view_file {"AbsolutePath": "a", "path": "b"}', "cat a", "sed -n 1,5p a", "head a", "nl a", "wc -l a", "diff a b", 'read {"path": "a"}', "open a.py", "scroll_down", "file a", "sed 's/a/b/' a"],
    "search no": ["grep a b", "rg a", "cat a | grep b", "find . -name x | xargs grep y", "search_dir x", 'grep {"pattern": "x", "path": "a"}', "git grep x", "ls -R | grep x", "find . -name x -exec grep y {} +"],
    "list no": ["ls", "find . -name a", "tree", "git ls-files", "ls -R | wc -l", "rg --files", "fd x", 'list_dir {"path": "a"}', 'Glob {"pattern": "*.py"}'],
    "vcs no": ["git status", "git apply --check p", "git diff", "git log --oneline | head", "git show HEAD:f", "git blame f", "git branch", "git stash list", "git remote -v", "git -C x status"],
    "vcs yes": ["git checkout f", "git stash", "git stash pop", "git reset --hard", "git commit -am x", "git merge x", "git add .", "git restore f", "git clean -fd", "git checkout -b x", "git rebase x", "git rm f", "git branch x"],
    "other no": ["echo hi", "curl x", "curl -s -o /dev/null -w '%{http_code}' x", "ps aux", "docker ps", "kubectl get pods", "which a", "wget -qO- x", "cd a", "pwd", "rm /tmp/x", "date", "export A=1", "python --version", "echo $A", "env", "docker logs x", "gh run list", "A=1", "source x", "<message> hi", "submit x", 'think {"thought": "x"}', 'finish {}'],
    "edit yes": [
        "sed -i s/a/b/ f", "sed -i.bak s/a/b/ f", "sed -ni 1p f", "sed -E -i s/a/b/ f", "perl -pi -e s/a/b/ f", "perl -i -pe s/a/b/ f", "echo a > f", "echo a >> f", "cat > f <<E\nx\nE", "cat a > b", "tee f <<E\nx\nE", "cp a b", "mv a b",
        "rm a", "mkdir a", "touch a", "ln -s a b", "chmod +x a", "patch -p1 < x", "git apply p", "apply_patch <<'E'\nx\nE", "python - <<E\nopen('a','w').write('x')\nE", "python -c \"open('a', 'w').write('x')\"",
        "python3 -c 'from pathlib import Path; Path(\"a\").write_text(\"x\")'", 'edit {"path": "a", "oldText": "1", "newText": "2"}', 'write {"path": "a", "content": "x"}', 'str_replace_editor {"command": "insert", "path": "a", "insert_line": 1, "insert_text": "x"}',
        "edit 1:2\nx\nend_of_edit", "create a.py", "str_replace_editor create a.py --file_text x", 'apply_patch {"input": "x"}', 'edit "a" "b"', "insert 5 x", 'MultiEdit {"file_path": "a", "edits": [1]}', "*** Begin Patch\n*** End Patch", "echo a | tee f", "grep a b > c", "find . -name x -delete", "find . -name x | xargs rm", "find . -name '*.py' -exec sed -i s/a/b/ {} +", "curl x > f", "bash -c 'echo a > f'",
        "cat > a.py <<E\nx\nE\npython a.py", "for f in *.py; do sed -i s/a/b/ $f; done", "if true; then rm a; fi", "truncate -s 0 f", "awk -i inplace 1 f", 'edit {"path": "a.py", "oldText": "cut in the mid', "cat <<'EOF' > a.py\nthe record was cut he",
    ],
    "install yes": ["npm install jest", "yarn add vitest", "pnpm i -D mocha", "pip install a", "python -m pip install -e .", "npm ci", "npm install", "apt-get install -y x", "cargo add x", "uv add x", "poetry install", "yarn add x", "go get x", "pip3 install -r r.txt 2>&1 | tail -1", "sudo apt install x", "conda install x"],
    "test no": [
        "pytest", "python -m pytest -x", "pytest a 2>&1 | tail -5", "pytest a | grep FAILED", "python -m unittest", "./tests/runtests.py a", "bin/test a", "./bin/test a", "go test ./...", "cargo test", "cargo nextest run", "npm test", "npm run test:unit", "yarn test", "pnpm test", "npx jest",
        "npx vitest run", "node --test", "mvn test", "./gradlew test", "gradle check", "ctest", "bundle exec rspec", "rspec", "vendor/bin/phpunit", "phpunit", "dotnet test", "tox", "make test", "make check", "make -C x test", "./gradlew :app:test", "yarn workspace a test", "pnpm -r test", "python manage.py test a", "python setup.py test", "uv run pytest a", "poetry run pytest",
        "mocha a", "python test_a.py", "python tests/test_a.py", "docker ps; pytest", "timeout 60 pytest", "cd x && pytest", "if pytest; then echo ok; fi", "while ! pytest; do sleep 1; done", "bash -lc 'pytest'", "deno test", "mix test", "coverage run -m pytest", "xvfb-run -a pytest", "pytest > /tmp/log 2>&1",
        "nosetests a", "python -m nose a", "npx tsx --test a.test.ts", "bun test", "node_modules/.bin/jest a",
    ],
    "test yes": ["sed -i s/a/b/ f && pytest", "git stash && pytest", "pytest > out.txt", "pytest; rm a", "pip install x && pytest", "cat > test_a.py <<E\nx\nE\npytest test_a.py", "pytest | tee out.txt"],
    "test perhaps": ["python a.py && pytest", "make && ctest"],
    "run perhaps": ["npm run check", "npm run lint", "python a.py", "make", "./run.sh", "npm run build", "./a", "node a.js", "cargo build", "python manage.py migrate", "bash a.sh", "docker run x", "python", "sphinx-build a b", "python -c 'import subprocess; subprocess.run(1)'", "unknown-program"],
    "run no": ["python -c 'print(1)'", "mypy a", "ruff check a", "flake8", "npx tsc --noEmit", "node -e 'console.log(1)'", "pylint a", "black --check a"],
    "run yes": ["python a.py > out.txt", "ruff check --fix a", "black a", "make > build.log", "ruff format a"],
    "wait no": ["sleep 5", "true", ":", "wait", "sleep 5; true", "while true; do sleep 1; done", ""],
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "effect"), [(command, effect) for effect, commands in EFFECTS.items() for command in commands]
)
def test_kind_and_writes_are_those_of_the_strongest_part(command: str, effect: str) -> None:
    meant = meaning(command)
    assert f"{meant.kind} {meant.writes}" == effect


@pytest.mark.parametrize("command", ["sleep 5; curl x", "sleep 5 && docker ps", "while true; do curl x; sleep 1; done", "until curl x; do sleep 1; done", "for i in 1 2; do sleep 1; curl x; done", "sleep 10", "sleep 5; sleep 5; tail -1 a.log", "bash -c 'sleep 1; curl x'", "while ! curl x; do sleep 1; done", "watch docker ps"])  # fmt: skip
def test_a_command_that_waits_first_polls(command: str) -> None:
    assert meaning(command).polls


def test_a_command_that_does_not_wait_does_not_poll() -> None:
    assert not any(meaning(command).polls for command in ("curl x", "echo sleep 5", "grep sleep a", "true"))


@pytest.mark.parametrize("command", ["pytest | head", "pytest | tail -5", "pytest 2>&1 | grep x", "ls | head -5", "a | b | tail", "pytest | tee f | tail -1", "pytest > /tmp/log", "pytest > /dev/null 2>&1", "pytest &> /dev/null"])  # fmt: skip
def test_output_cut_by_the_command_is_known_to_be_cut(command: str) -> None:
    assert meaning(command).filtered


@pytest.mark.parametrize("command", ["pytest", "grep x y", "pytest 2>/dev/null", "pytest | cat", "cat f | grep x", "sed -n 1,5p f", "pytest | tee f"])  # fmt: skip
def test_whole_output_is_not_taken_for_cut(command: str) -> None:
    assert not meaning(command).filtered


@pytest.mark.parametrize("command", ["git stash", "git stash push -u", "git stash && pytest && git stash pop", "git worktree add ../x HEAD~1", "git checkout HEAD~2", "git checkout abc1234", "git checkout main", "git checkout HEAD~1 -- a.py", "git switch --detach v1", "git bisect start", "git show HEAD~1:a.py > b.py"])  # fmt: skip
def test_looking_at_another_state_of_the_code_is_known(command: str) -> None:
    assert meaning(command).elsewhere


@pytest.mark.parametrize("command", ["git stash pop", "git stash list", "git checkout a.py", "git checkout -- a.py", "git checkout HEAD -- a.py", "git checkout -b x", "git status", "git show HEAD:a.py", "git checkout src/a.py", "git checkout .", "git worktree list", "git switch -c x"])  # fmt: skip
def test_staying_in_this_state_of_the_code_is_known(command: str) -> None:
    assert not meaning(command).elsewhere


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        ("cd a && cat b.py ./c.py", ("a/b.py", "a/c.py")), ("pytest tests/a.py::test_x -k y", ("tests/a.py",)), ("sed -i 's/a.b/c/' x/f.py", ("x/f.py",)), ("cat > a.py <<E\nx\nE", ("a.py",)),
        ("grep -rn x src lib", ("src", "lib")), ("cp a.py b/c.py", ("a.py", "b/c.py")), ("cat a | grep b > c.txt", ("a", "c.txt")), ('edit {"path": "./a.py", "oldText": "1", "newText": "2"}', ("a.py",)),
        ("python3 - <<E\np='src/a.py'\nopen(p,'w').write('x')\nE", ("src/a.py",)), ("python x/a.py", ("x/a.py",)), ("curl http://x.y/z.py", ()), ("rm -rf build", ("build",)), ("git diff a/b.py", ("a/b.py",)), ("ls", (".",)),
    ],
)  # fmt: skip
def test_the_files_named_are_told_by_their_one_name(command: str, paths: tuple[str, ...]) -> None:
    assert meaning(command).paths == paths


def test_no_more_paths_are_told_than_a_step_needs() -> None:
    assert len(meaning("cat " + " ".join(f"a{n}.py" for n in range(500))).paths) == 32
