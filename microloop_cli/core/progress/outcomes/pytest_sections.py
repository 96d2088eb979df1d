"""The sections in which pytest shows each failure (`____ test_x ____`), read for the error itself. Pure."""

from __future__ import annotations

import re

import msgspec

from microloop_cli.core.progress.outcomes.messages import LINE_CHARS

_TITLE = re.compile(r"_+ (.+?) _+\s*$")
_LOCATION = re.compile(r"([^\s:]{1,400}\.\w{1,5}):\d{1,7}: ?(\w{0,100})")
_PHASE = re.compile(r"ERROR (?:at (?:setup|teardown) of |collecting )")
_STARTS = frozenset("_=E-")


class Section(msgspec.Struct):
    """One failure: its title without the phase, the error's first line, and its lines (from, up to).

    counts: it stands under FAILURES or ERRORS (or the header is cut off), not under PASSES.
    """

    title: str
    counts: bool
    collecting: bool = False
    failure: str = ""
    start: int = 0
    end: int = 0

    def test_id(self, file: str) -> str:
        """As pytest would name it: `file::Class::test[parameters]`."""
        if self.collecting:
            return self.title
        name, bracket, parameters = self.title.partition("[")
        name = name.replace(".", "::") if not file.endswith((".txt", ".rst", ".md")) else name
        return f"{file}::{name}{bracket}{parameters}" if file else f"{name}{bracket}{parameters}"


def title_of(test_id: str) -> str:
    """The title under which the section of a test stands."""
    path, colons, name = test_id.partition("::")
    if not colons:
        return path
    name, bracket, parameters = name.partition("[")
    return name.replace("::", ".") + bracket + parameters


def read(lines: list[str]) -> list[Section]:
    """All sections, in the order of the text."""
    marked = [i for i, line in enumerate(lines) if line[:1] in _STARTS]
    found: list[tuple[int, Section]] = []
    groups: dict[int, list[int]] = {}
    counts, captured = True, False
    for i in marked:
        line = lines[i]
        if line[0] == "E":
            if found and not captured and line[:3] in ("E  ", "E", "E "):
                groups.setdefault(found[-1][0], []).append(i)
        elif line[0] == "=":
            counts = _header_counts(line, counts)
            captured = captured or line.startswith("=====")
        elif line[0] == "-":
            captured = captured or line.startswith("----")
        elif (section := _section(line, counts)) is not None:
            found.append((i, section))
            captured = False
    ends = [start for start, _ in found[1:]] + [len(lines)]
    for (start, section), end in zip(found, ends, strict=False):
        _fill(section, lines, start, end, groups.get(start, []))
    return [section for _, section in found]


def _header_counts(line: str, counts: bool) -> bool:
    title = line[:LINE_CHARS].strip("= \r")
    return title in ("FAILURES", "ERRORS") if title else counts


def _section(line: str, counts: bool) -> Section | None:
    match = _TITLE.match(line[:LINE_CHARS])
    if match is None or not match[1].strip("_ "):
        return None
    title = match[1].strip().removeprefix("[doctest] ")
    phase = _PHASE.match(title)
    if phase is None:
        return Section(title, counts)
    return Section(title[phase.end() :], counts, collecting=phase[0].endswith("collecting "))


def _fill(section: Section, lines: list[str], start: int, end: int, group: list[int]) -> None:
    """The error is the last run of `E` lines; without one, what a native traceback or a doctest ends with."""
    if group:
        first = len(group) - 1
        while first and group[first - 1] == group[first] - 1:
            first -= 1
        section.failure = first_line([lines[i] for i in group[first:]])
    else:
        section.failure = _without_marks(lines[start + 1 : end])
    section.start, section.end = start, end


def first_line(marked: list[str]) -> str:
    """The error's first line that says something, of its `E` lines; a SyntaxError's is its last."""
    said = [line[1:LINE_CHARS].strip() for line in marked[:50]]
    if said and said[0].startswith('File "'):
        return marked[-1][1:LINE_CHARS].strip()
    if not said:
        return ""
    if said[0].endswith(":") and len(said) > 1:
        return said[0] + " " + next((line for line in said[1:] if line), "")
    return said[0]


def _without_marks(lines: list[str]) -> str:
    shown = ""
    for i, line in enumerate(lines):
        if line.startswith(("----", "====")):
            break
        if line.startswith("Traceback (most recent call last)"):
            shown = next(
                (after[:LINE_CHARS] for after in lines[i + 1 : i + 2000] if after[:1] not in ("", " ")), ""
            )
        elif line.startswith("[XPASS(strict)]"):
            shown = line[:LINE_CHARS]
        elif line.startswith("Expected:") and i + 1 < len(lines):
            shown = _doctest(lines[i + 1 : i + 200])
        elif (match := _LOCATION.match(line[:LINE_CHARS])) and match[2] and not shown:
            shown = match[2]
    return shown


def _doctest(lines: list[str]) -> str:
    """From the line behind `Expected:` on."""
    got = next((i for i, line in enumerate(lines) if line.startswith("Got:")), len(lines))
    said = lines[got + 1].strip() if got + 1 < len(lines) else "nothing"
    return f"DocTestFailure: expected {lines[0].strip()[:400]}, got {said[:400]}"


def file_of(section: Section, lines: list[str]) -> str:
    """The file a section's test seems to be in: the first that its traceback names; "" without one."""
    for line in lines[section.start + 1 : min(section.end, section.start + 2000)]:
        if line[:1] not in ("", " ", "E", ">", "_") and (match := _LOCATION.match(line[:LINE_CHARS])):
            return match[1]
    return ""
