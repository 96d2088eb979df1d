"""Commands that do different things stay different."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress.commands.meaning import meaning

DIFFERENT: list[tuple[str, str]] = [
    ("pytest a", "pytest b"), ("pytest a", "pytest a b"), ("pytest", "pytest a"), ("pytest -k x a", "pytest -k y a"), ("pytest a", "pytest -k x a"),
    ("pytest a.py::t1", "pytest a.py::t2"), ("pytest --lf", "pytest"), ("pytest --collect-only", "pytest"), ("pytest -m slow", "pytest"),
    ("cd a && pytest", "pytest"), ("cd a && pytest", "cd b && pytest"), ("cd tests && python runtests.py", "python runtests.py"),
    ("sed -n 1,50p f", "sed -n 51,100p f"), ("sed -n 1,50p f", "cat f"), ("sed -n '100,200p' f", "sed -n '200,300p' f"), ("head -20 f", "cat f"),
    ("head -20 f", "head -30 f"), ("tail -20 f", "head -20 f"), ("cat f", "cat g"), ("cat f", "cat f g"), ("cat a/f", "cat b/f"), ("cat f", "cat f.py"),
    ("head -745 f | tail -30", "head -845 f | tail -30"), ("sed -n '/a/,/b/p' f", "sed -n '/a/,/c/p' f"), ("cat -A f", "cat f"), ("head -c 5 f", "head -c 9 f"),
    ("grep foo x", "grep foo y"), ("grep foo x", "grep bar x"), ("grep foo x", "grep -v foo x"), ("grep foo x", "grep -i foo x"), ("grep -l foo x", "grep foo x"),
    ("grep -A 5 foo x", "grep -A 50 foo x"), ("grep -c foo x", "grep foo x"), ("grep -w foo x", "grep foo x"), ("grep -rn a --include=*.py .", "grep -rn a --include=*.js ."),
    ("grep 'a|b' f", "grep -E 'a|b' f"), ("grep -F a.b f", "grep a.b f"), ("grep '(a' f", "grep -E '(a' f"), ("rg a -g '*.py'", "rg a -g '*.js'"),
    ("find . -name a", "find . -name b"), ("find a -name x", "find b -name x"), ("find . -name x -maxdepth 1", "find . -name x"), ("find . -type d", "find . -type f"),
    ("find . -name x", "find . -name x -delete"), ("find . -name x", "find . -not -name x"), ("find . -name x | grep a", "find . -name x | grep b"),
    ("ls", "ls a"), ("ls a", "ls b"), ("ls -R a", "ls a"), ("ls -d a", "ls a"), ("ls | wc -l", "ls"), ("ls a", "ls /a"), ("ls ..", "ls ."), ("ls ../a", "ls a"),
    ("git diff", "git status"), ("git diff", "git diff --stat"), ("git show a", "git show b"), ("git log", "git log --all"), ("git diff a.py", "git diff b.py"),
    ("git checkout a.py", "git checkout b.py"), ("git stash", "git stash pop"), ("cd a && git diff .", "cd b && git diff ."), ("git commit -m a", "git commit -m b"),
    ("python a.py", "python b.py"), ("python a.py 1", "python a.py 2"), ("python -c 'print(1)'", "python -c 'print(2)'"), ("python a.py", "X=1 python a.py"),
    ("X=1 python a.py", "X=2 python a.py"), ("python a.py", "cd b && python a.py"), ("python -W error a.py", "python a.py"), ("python -m a", "python -m b"), ("python a.py < x", "python a.py < y"),
    ("python -X dev -c 1", "python -X tracemalloc -c 1"), ("python - <<E\nprint(1)\nE", "python - <<E\nprint(2)\nE"), ("PYTHONPATH=. python a.py", "python a.py"),
    ("sed -i s/a/b/ f", "sed -i s/a/c/ f"), ("sed -i s/a/b/ f", "sed -i s/a/b/ g"), ("sed -i s/a/b/ f", "sed s/a/b/ f"), ("sed -i 5d f", "sed -i 6d f"),
    ("cat > a <<E\n1\nE", "cat > a <<E\n2\nE"), ("cat > a <<E\n1\nE", "cat > b <<E\n1\nE"), ("cat > a <<E\n1\nE", "cat >> a <<E\n1\nE"), ("echo a > f", "echo b > f"), ("echo a > f", "echo a >> f"),
    ("go test ./a", "go test ./b"), ("go test -run A ./...", "go test -run B ./..."), ("go test ./...", "go build ./..."), ("cargo test a", "cargo test b"), ("cargo test -p a", "cargo test -p b"),
    ("cargo test", "cargo build"), ("npm test", "npm run build"), ("npm test", "yarn test"), ("npm test -- a", "npm test -- b"), ("npx jest a", "npx jest b"), ("npx jest -t a", "npx jest -t b"),
    ("npx jest a", "npx vitest a"), ("cd p/a && npm test", "cd p/b && npm test"), ("cd /x/a && npm test", "cd /x/b && npm test"), ("make a", "make b"), ("make", "make test"), ("tox -e a", "tox -e b"),
    ("mvn test", "mvn -Dtest=A test"), ("mvn -Dtest=A test", "mvn -Dtest=B test"), ("./gradlew test", "./gradlew test --tests A"), ("ctest -R a", "ctest -R b"), ("rspec a", "rspec b"), ("rspec -e a", "rspec -e b"),
    ("curl a", "curl b"), ("sleep 5; curl a", "sleep 5; curl b"), ("kubectl get pods", "kubectl get nodes"), ("docker ps", "docker ps -a"), ("tail -3 a.log", "tail -3 b.log"),
    ("a || b", "a && b"), ("a && b", "b && a"), ("a | b", "a"), ("a | b", "b | a"), ("for f in a b; do cat $f; done", "for f in a c; do cat $f; done"), ("a > x", "a"),
    ("cp a b", "cp a c"), ("mv a b", "cp a b"), ("rm a", "rm -rf b"), ("mkdir a", "mkdir b"), ("pip install a", "pip install b"), ("pip install a", "pip install a==2"), ("chmod +x a", "chmod -x a"),
    ("echo $A", "echo $B"), ("echo '$A'", "echo $A"), ("if a; then b; fi", "if a; then c; fi"), ("f() { a; }", "f() { b; }"), ("diff a b", "diff a c"), ("diff <(ls a) <(ls b)", "diff <(ls a) <(ls c)"), ("wc -l a", "wc -c a"),
    ("awk '{print $1}' f", "awk '{print $2}' f"), ("cut -f1 f", "cut -f2 f"), ("cd a", "cd b"), ("echo a", "echo b"), ("source a", "source b"), ("x=$(cat a); y $x", "x=$(cat b); y $x"), ("wait", "true"),
    ("open a.py", "open b.py"), ("goto 5", "goto 9"), ("scroll_up", "scroll_down"), ("search_dir a", "search_dir b"), ("edit 1:2\na\nend_of_edit", "edit 1:2\nb\nend_of_edit"), ("create a.py", "create b.py"), ("submit a", "submit b"),
    ('read {"path": "a"}', 'read {"path": "b"}'), ('read {"path": "a", "offset": 50}', 'read {"path": "a"}'), ('edit {"path": "a", "oldText": "1", "newText": "2"}', 'edit {"path": "a", "oldText": "1", "newText": "3"}'),
    ('str_replace_editor {"command": "insert", "path": "a", "insert_line": 1, "insert_text": "x"}', 'str_replace_editor {"command": "insert", "path": "a", "insert_line": 2, "insert_text": "x"}'),
    ('str_replace_editor {"command": "undo_edit", "path": "a"}', 'str_replace_editor {"command": "view", "path": "a"}'),
    ('grep {"pattern": "x", "path": "a"}', 'grep {"pattern": "y", "path": "a"}'), ('think {"thought": "a"}', 'think {"thought": "b"}'), ('apply_patch {"input": "x"}', 'apply_patch {"input": "y"}'),
    ("str_replace_editor view a --view_range 1 50", "str_replace_editor view a --view_range 50 90"), ("str_replace_editor create a --file_text x", "str_replace_editor create a --file_text y"),
    ("<message> a", "<message> b"), ("echo '" + "x" * 70_000 + "a'", "echo '" + "x" * 70_000 + "b'"), ("cat " + "a" * 3_000 + "1", "cat " + "a" * 3_000 + "2"), ("; ".join(["cat a"] * 600 + ["cat b"]), "; ".join(["cat a"] * 601)),
    ("(" * 40 + "a" + ")" * 40, "(" * 40 + "b" + ")" * 40), ("echo $((1+2))", "echo $((1+3))"), ("git ls-files a", "git ls-files b"), ("xargs rm < a", "xargs rm < b"), ("ls | xargs rm", "ls | xargs cat"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=lambda command: command[:40])
def test_what_differs_is_told_apart(one: str, other: str) -> None:
    assert meaning(one).action != meaning(other).action
