"""Commands that do the same are one action, whatever way they are spelled."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.commands.meaning import meaning

ONE: dict[str, list[str]] = {
    "a list of a folder": [
        "ls django/utils", "ls ./django/utils/", 'ls "django/utils"', "ls 'django/utils'", "command ls django/utils",
        "(cd django/utils; ls)", "cd django/utils && ls", "cd ./django/utils && ls .", "cd django && cd utils && ls",
        "ls django/utils | cat", "ls -la django/utils", "ls -1 django/utils", "ls   django/utils  # look",
        "ls django/utils 2>/dev/null", "ls django/utils; echo $?", "ls django/utils || true", "{ ls django/utils; }",
        "bash -c 'ls django/utils'", "bash -lc \"cd django/utils && ls\"", "sh -c 'ls django/utils'",
        "/bin/bash -lc 'ls django/utils'", "eval 'ls django/utils'", "set -e; ls django/utils",
        "set -euo pipefail\nls django/utils", "echo '== utils =='; ls django/utils", "ls django/utils && echo done",
        "cd /testbed && ls django/utils", "ls /testbed/django/utils", "cd /testbed/django; ls utils",
        "cd django/utils/../utils && ls", "source venv/bin/activate && ls django/utils", "nohup ls django/utils",
        "time ls django/utils", "timeout 60 ls django/utils", "timeout -k 5 60s ls django/utils", "ls django/utils &",
        "ls django/utils </dev/null", "ls django/utils 2>&1 | tail -50", "pushd django/utils >/dev/null && ls",
        'bash {"command": "ls django/utils"}', "ls -- django/utils", "LANG=C ls django/utils",
        "bash <<'EOF'\nls django/utils\nEOF", "ls \\\n  django/utils", "if_done=1; ls django/utils"[11:],
        "shopt -u promptvars nullglob; ( trap 'x' EXIT; ls django/utils; ); __code=$?; exit $__code",
        "shopt -u promptvars; { ls django/utils; }; __code=$?; pgrep -g 0 >/tmp/p.tmp 2>&1; exit $__code;",
        "source /h/s.sh 2>/dev/null || true && shopt -u extglob 2>/dev/null || true && eval 'ls django/utils' < /dev/null && pwd -P >| /tmp/claude-1-cwd",
    ],
    "a file from its start": [
        "cat a/b.py", "cat < a/b.py", "cat ./a/b.py", "cd a && cat b.py", "head -500 a/b.py", "head -n 200 a/b.py",
        "head -n200 a/b.py", "head --lines=100 a/b.py", "tail -n +1 a/b.py", "sed -n '1,200p' a/b.py",
        'sed -n "1,200p" a/b.py', "sed -n 1,200p a/b.py", "sed -n -e '1,200p;200q' a/b.py", "nl -ba a/b.py",
        "nl -ba a/b.py | sed -n '1,200p'", "less a/b.py", "less -FX a/b.py", "more a/b.py", "bat a/b.py",
        "bat --paging=never a/b.py", "cat -n a/b.py", "cat a/b.py | head -200", "cat a/b.py | cat", "cat a/b.py | less",
        "sed -n '1,$p' a/b.py", "cat a/b.py 2>&1", 'read {"path": "a/b.py"}', 'read {"path": "./a/b.py", "limit": 2000}',
        'str_replace_editor {"command": "view", "path": "a/b.py"}', 'view {"file_path": "/testbed/a/b.py"}',
        'str_replace_editor {"command": "view", "path": "/testbed/a/b.py", "view_range": [1, 150]}',
        "awk 'NR>=1 && NR<=150' a/b.py", "sed 150q a/b.py",
    ],
    "some lines of a file": [
        "sed -n '100,200p' f.py", "nl -ba f.py | sed -n '100,200p'", "cat f.py | sed -n '100,200p'",
        "cat -n f.py | sed -n 100,200p", "sed -n '100,+100p' f.py", "head -200 f.py | tail -101", "sed -n '100,200p' < f.py",
        "cat f.py | head -n 200 | tail -n 101", "tail -n +100 f.py | head -101", "awk 'NR>=100 && NR<=200' f.py",
        'read {"path": "f.py", "offset": 100, "limit": 101}', "awk 'NR>=100&&NR<=200{print}' f.py",
        'str_replace_editor {"command": "view", "path": "f.py", "view_range": [100, 200]}',
    ],
    "a few first lines": ["head -20 f.py", "head -n 20 f.py", "sed -n '1,20p' f.py", "cat f.py | head -20", "nl f.py | head -n20"],
    "the last lines": ["tail -50 f.py", "tail -n 50 f.py", "cat f.py | tail -50", "tail --lines=50 f.py"],
    "a search below a folder": [
        "grep -rn register sphinx/builders", "grep -rn 'register' sphinx/builders/", "grep -R -n register ./sphinx/builders",
        "grep -nr register sphinx/builders", "grep --recursive -n register sphinx/builders", "rg register sphinx/builders",
        "grep -rn -e register sphinx/builders", "grep -rn register sphinx/builders | head -100", "rg -n register sphinx/builders",
        "grep -rn register sphinx/builders 2>/dev/null", "cd sphinx && grep -rn register builders", "rg --no-heading register sphinx/builders",
        "grep -rnI --color=never register sphinx/builders", "grep -rE register sphinx/builders", "grep -rn register sphinx/builders | sort",
        "cd sphinx/builders && rg register", "cd sphinx/builders && grep -rn register .", "egrep -r register sphinx/builders",
        "git grep register sphinx/builders", "grep -rF register sphinx/builders",
    ],
    "a search in a file": [
        'grep "class A" f.py', "grep -n 'class A' f.py", "cat f.py | grep 'class A'", "nl -ba f.py | grep 'class A'",
        "grep -n 'class A' < f.py", "rg 'class A' f.py", "grep -rn 'class A' f.py", "grep -Hn 'class A' ./f.py",
    ],
    "a search with context": ["grep -n -A 5 -i foo f.py", "grep -inA5 foo f.py", "grep --ignore-case --after-context=5 foo f.py", "rg -i -A5 foo f.py"],
    "a search for one of two": ["grep 'a\\|b' f.py", "grep -E 'a|b' f.py", "egrep 'a|b' f.py", "rg 'a|b' f.py"],
    "files by name": [
        "find django/template -name '*.py'", 'find ./django/template -type f -name "*.py"', "find django/template -name \\*.py",
        'find django/template/ -name "*.py" | sort', 'find django/template -iname "*.py"', 'git ls-files "django/template/*.py"',
        "find django/template -name '*.py' -print", "cd django && find template -name '*.py'", "rg --files -g '*.py' django/template",
        "find django/template -type f -name '*.py' 2>/dev/null | head -50", "cd django/template && find . -name '*.py'",
    ],
    "pytest of a file": [
        "pytest tests/a.py", "pytest -q tests/a.py", "python -m pytest tests/a.py", "python3 -m pytest tests/a.py -v 2>&1 | tail -40",
        "py.test tests/a.py", "python3.11 -m pytest tests/a.py -x", "/usr/bin/python3 -m pytest tests/a.py", "pytest tests/a.py --tb=short",
        "cd . && pytest -vv tests/a.py", "PYTHONPATH=. pytest tests/a.py -rf", "pytest tests/a.py -p no:cacheprovider",
        "pytest -n 8 tests/a.py", "pytest tests/a.py --maxfail=1 --no-header --durations=5", "pytest -xvs tests/a.py", "pytest ./tests/a.py",
        "pytest tests/a.py > /tmp/out.txt 2>&1", "pytest tests/a.py > /dev/null 2>&1", "pytest tests/a.py | tee /tmp/out.txt", "env PYTHONDONTWRITEBYTECODE=1 pytest tests/a.py",
        "CI=1 pytest tests/a.py", "pytest tests/a.py || true", "pytest tests/a.py; echo exit $?", "time pytest tests/a.py",
        "pytest /testbed/tests/a.py", "cd /testbed && python -m pytest tests/a.py -W ignore", "pytest --color=no -rA tests/a.py",
        "python -B -m pytest tests/a.py", "python -Wignore -m pytest tests/a.py", "sudo pytest tests/a.py", "pytest tests/a.py --cov=a --cov-report=term",
        "stdbuf -oL pytest tests/a.py", "bash -c \"pytest tests/a.py\"", "(pytest tests/a.py)",
    ],
    "a script that tests": [
        "python tests/runtests.py forms_tests", "./tests/runtests.py forms_tests", "python3 ./tests/runtests.py forms_tests -v 2",
        "./tests/runtests.py forms_tests --parallel=1", "./tests/runtests.py --verbosity 2 forms_tests", "/testbed/tests/runtests.py forms_tests",
    ],
    "unittest of a module": ["python -m unittest tests.a", "python3 -m unittest -v tests.a", "python -m unittest tests.a -f 2>&1 | tail -5"],
    "go test": ["go test ./...", "go test -v -count=1 ./...", "go test -race ./... 2>&1 | tail -20", "go test -timeout 30s ./...", "go test -json ./..."],
    "cargo test": ["cargo test", "cargo test --quiet", "cargo test -- --nocapture", "cargo test -q", "RUST_BACKTRACE=1 cargo test", "cargo test -- --test-threads=1"],
    "npm test": ["npm test", "npm run test", "npm test --silent", "npm test -- --ci", "npm t", "CI=true npm test", "npm test -- --verbose --runInBand"],
    "jest of a file": ["npx jest a.test.js", "npx jest --runInBand a.test.js", "npx jest a.test.js --verbose", "npx --yes jest a.test.js --colors"],
    "maven": ["mvn test", "mvn -q test", "./mvnw test", "mvn -B test"],
    "a program run": ["python a.py --n 5", "python3 a.py --n 5", "/usr/bin/python3.9 a.py --n 5", "python ./a.py --n 5", "python -u a.py --n 5", "PYTHONUNBUFFERED=1 python a.py --n 5"],
    "a poll": [
        "curl -s localhost:80", "sleep 5; curl -s localhost:80", "sleep 30 && curl -s localhost:80",
        "for i in 1 2 3; do sleep 1; curl -s localhost:80; done", "while true; do curl -s localhost:80; sleep 2; done",
        "until curl -s localhost:80; do sleep 1; done", "sleep 1m; sleep 2; curl -s localhost:80", "watch -n 5 curl -s localhost:80", "sleep 5\r\ncurl -s localhost:80",
    ],
    "an installation": ["pip install a", "pip3 install -q a", "python -m pip install a 2>&1 | tail -1", "pip install --quiet a", "sudo pip install a"],
    "an edit in place": ["sed -i 's/a/b/' x/f.py", "cd x && sed -i 's/a/b/' f.py", 'sed -i "s/a/b/" ./x/f.py', "sed -i s/a/b/ x/f.py"],
    "a text written": [
        "cat > a.py <<'EOF'\nx = 1\nEOF", "cat <<EOF > a.py\nx = 1\nEOF", "cat << 'END' > ./a.py\nx = 1\nEND", "tee a.py <<'EOF'\nx = 1\nEOF",
        "tee a.py > /dev/null <<'EOF'\nx = 1\nEOF", "cat > a.py <<'EOF' && echo ok\nx = 1\nEOF", 'write {"path": "a.py", "content": "x = 1\\n"}',
        'str_replace_editor {"command": "create", "path": "/testbed/a.py", "file_text": "x = 1"}',
    ],
    "a text replaced": [
        'str_replace_editor {"command": "str_replace", "path": "a.py", "old_str": "x", "new_str": "y"}',
        'edit {"path": "./a.py", "oldText": "x", "newText": "y"}',
        'Edit {"file_path": "/testbed/a.py", "old_string": "x", "new_string": "y"}',
    ],
    "code in the command": ["python -c 'print(1)'", 'python3 -c "print(1)"', "python - <<'E'\nprint(1)\nE", "python3 <<E\nprint(1)\nE", "python -uc 'print(1)'"],
    "some lines by an editor": [
        "str_replace_editor view /testbed/a.py --view_range 20 50", "sed -n 20,50p a.py", 'str_replace_editor {"command": "view", "path": "a.py", "view_range": [20, 50]}',
    ],
    "a text replaced by an editor": [
        "str_replace_editor str_replace /testbed/a.py --old_str 'x y' --new_str 'z'", 'str_replace_editor {"command": "str_replace", "path": "a.py", "old_str": "x y", "new_str": "z"}',
    ],
    "words as a list": ['shell {"command": ["bash", "-lc", "make x"]}', "make x"],
    "git": ["git diff", "git --no-pager diff", "git diff | cat", "cd /testbed && git diff", "git diff | head -100", "git -C . diff"],
    "a make target": ["make build", "make build 2>&1 | tail -5", "cd . && make build"],
    "variables in any order": ["A=1 B=2 ./x", "B=2 A=1 ./x", "env B=2 A=1 ./x"],
}  # fmt: skip


@pytest.mark.parametrize("spellings", ONE.values(), ids=ONE.keys())
def test_all_spellings_are_one_action(spellings: list[str]) -> None:
    actions = {meaning(spelling).action: spelling for spelling in spellings}
    assert len(actions) == 1, actions


def test_groups_differ_from_each_other() -> None:
    actions = {name: meaning(spellings[0]).action for name, spellings in ONE.items()}
    assert len(set(actions.values())) == len(ONE)


def test_a_known_workspace_is_where_relative_paths_begin() -> None:
    home = "/home/me/project"
    assert meaning(f"cd {home} && ls src", home).action == meaning("ls src").action
    assert meaning(f"cat {home}/src/a.py", home + "/").action == meaning("cat src/a.py").action
    assert meaning(f"cd {home}/src && npm test", home).action == meaning("cd src && npm test").action
    assert meaning("cat /home/me/project2/a.py", home).action == "view /home/me/project2/a.py"


def test_below_an_absolute_folder_a_path_has_one_name() -> None:
    spellings = [
        "cd /opt/x && cat a/b.py",
        "cat /opt/x/a/b.py",
        "cd /opt/x/a && cat b.py",
        "cd /opt/x && cat /opt/x/a/b.py",
    ]
    assert {meaning(spelling).action for spelling in spellings} == {"view /opt/x/a/b.py"}
