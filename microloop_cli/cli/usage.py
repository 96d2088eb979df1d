"""What to say about a mistake in the command line: one sentence, the nearest right word, where help is."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def usage_message(error: Exception, text: str) -> tuple[str, list[str]]:
    """(message, hints) for an error of typer whose own text is `text`."""
    hints = []
    if hasattr(error, "possibilities"):
        option, possible = str(getattr(error, "option_name", "")), error.possibilities
        text = f"no such option: {option}"
        if possible:
            hints.append(did_you_mean(option, possible) or f"did you mean {sorted(possible)[0]}?")
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "microloop")
    hints.append(f"see {command} --help")
    return _sentence(text), hints


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean ...?` for the nearest of the known words; empty when none is near."""
    near = get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


def _sentence(text: str) -> str:
    text = " ".join(text.split()).rstrip(".")
    return text[:1].lower() + text[1:]
