"""Which edits, made a second time, change nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.evaluation.rewriting import again


@pytest.mark.parametrize(
    "command",
    [
        "cat > f.py <<'EOF'\nprint('>> ' + x)\nEOF",
        "mkdir -p a && cat <<EOF > a/b\nfoo\nEOF",
        "sed -i 's/return mmsubsup/return mmsubsup/' mathml.py",
        "sed -i 's/old/new/g' f.py",
        "sed -i '28s/.*/    total += weight/' f.py",
        "sed -i '144s/[ \\t]*$//' f.py",
        "sed -i '/debug/d' f.py",
        "sed -i '' 's|a|b|' f.py",
        "git checkout -- f.py",
        "rm -f f.py; touch g.py",
        "echo 1 > f.txt",
    ],
)
def test_writing_the_same_again_changes_nothing(command: str) -> None:
    assert again(command) == "nothing"


@pytest.mark.parametrize(
    "command",
    [
        "cat >> f.py <<'EOF'\nmore\nEOF",
        "echo 1 | tee -a f.txt",
        "sed -i '1s/^/import json\\n/' f.py",
        "sed -i 's/a/ab/' f.py",
        "sed -i 's/x/[&]/' f.py",
        "sed -i '5d' f.py",
        "sed -i '7i\\    # keep' f.py",
        "sed -i -e 's/a/b/' -e '1d' f.py",
        "mv a b",
        "patch -p1 fix.diff",
        "git stash",
        "sed -i 's/a f.py",
        "",
    ],
)
def test_what_adds_or_moves_changes_files_each_time(command: str) -> None:
    assert again(command) == "changes"


@pytest.mark.parametrize("command", ["cat > f.py <<'EOF'\nx\nEOF\npython f.py", "python3 - <<'E'\npass\nE"])
def test_of_a_program_only_its_output_can_tell(command: str) -> None:
    assert again(command) == "runs"


@given(st.text(alphabet="ab <>|&;'\"\\/\n$sed-i", max_size=400))
def test_no_command_is_too_strange(command: str) -> None:
    assert again(command) in {"nothing", "runs", "changes"}


def test_a_long_command_is_judged_at_once() -> None:
    assert again("cat > f <<'EOF'\n" + "x 'y\n" * 400_000 + "EOF") == "nothing"
    assert again("<<a\n" * 100_000) == "changes"
    assert again("sed -i 's/" + "a\\" * 200_000) == "changes"
