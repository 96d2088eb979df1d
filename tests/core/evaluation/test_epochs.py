"""When the files of a foreign run are taken to have changed."""

from __future__ import annotations

from microloop_cli.core.evaluation.deeds import deed_of
from microloop_cli.core.evaluation.epochs import InferredEpochs
from microloop_cli.core.progress.signals import ErrorSignature, Signals
from tests.core.evaluation.made import step

EDIT = "sed -i 's/old/new/' calc.py"
APPEND = "cat >> calc.py <<'EOF'\nmore\nEOF"


class Files:
    """A run told step by step; `epoch` is that of the last step's end, as the next one sees it."""

    def __init__(self) -> None:
        self.epochs = InferredEpochs()
        self.number = 0

    def did(self, command: str, output: str = "", refused: bool = False) -> str:
        """The epoch that `ls`, run next, begins in."""
        self.number += 1
        deed = deed_of(step(self.number, command, output))
        self.epochs.before(deed)
        error = ErrorSignature("edit", "not found") if refused else None
        self.epochs.after(deed, Signals(output_digest=output, error=error))
        return self.epochs.before(deed_of(step(0, "ls")))

    def began(self, command: str) -> str:
        """The epoch a command would begin in now."""
        return self.epochs.before(deed_of(step(0, command)))


def test_looking_changes_nothing() -> None:
    files = Files()
    assert files.did("ls", "a") == files.did("cat calc.py", "b") == files.did("grep x calc.py", "c")


def test_an_edit_makes_a_new_epoch_and_the_same_edit_again_does_not() -> None:
    files = Files()
    before = files.did("ls")
    edited = files.did(EDIT)
    assert edited != before
    assert files.did(EDIT) == edited


def test_an_edit_made_again_after_the_file_was_changed_counts() -> None:
    files = Files()
    files.did(EDIT)
    other = files.did("sed -i 's/new/old/' calc.py")
    assert files.did(EDIT) != other


def test_an_edit_made_again_after_another_file_was_changed_does_not_count() -> None:
    files = Files()
    files.did(EDIT)
    other = files.did("sed -i 's/a/b/' other.py")
    assert files.did(EDIT) == other


def test_appending_the_same_again_changes_the_file_each_time() -> None:
    files = Files()
    assert len({files.did(APPEND) for _ in range(3)}) == 3


def test_an_edit_that_was_refused_changes_nothing() -> None:
    files = Files()
    before = files.did("ls")
    assert files.did(EDIT, "no such text", refused=True) == before


def test_a_program_that_says_something_new_may_have_changed_files() -> None:
    files = Files()
    before = files.did("ls")
    first = files.did("python fix.py", "done")
    assert first != before
    assert files.did("python fix.py", "done") == first
    assert files.did("python fix.py", "again") != first


def test_a_program_that_is_run_again_at_once_begins_where_it_began() -> None:
    files = Files()
    files.epochs.before(deed_of(step(1, "python fix.py")))
    before = files.began("python fix.py")
    deed = deed_of(step(1, "python fix.py"))
    files.epochs.after(deed, Signals(output_digest="x"))
    assert files.began("python fix.py") == before
    assert files.began("ls") != before


def test_writing_a_file_and_running_it_again_changes_nothing_when_it_says_the_same() -> None:
    files = Files()
    command = "cat > try.py <<'EOF'\nprint(1)\nEOF\npython try.py"
    first = files.did(command, "1")
    assert files.did(command, "1") == first
    assert files.did(command, "2") != first


def test_taking_changes_back_is_a_new_epoch_once() -> None:
    files = Files()
    edited = files.did(EDIT)
    back = files.did("git checkout -- calc.py")
    assert back != edited
    assert files.did("git checkout -- calc.py") == back
    assert files.did("git stash") != back


def test_a_tool_named_edit_writes_and_one_named_read_does_not() -> None:
    assert deed_of(step(1, "frobnicate calc.py", tool="edit")).meaning.writes == "yes"
    assert deed_of(step(1, "frobnicate calc.py", tool="read")).meaning.writes == "no"
    assert deed_of(step(1, "frobnicate calc.py", tool="bash")).meaning.writes == "perhaps"
