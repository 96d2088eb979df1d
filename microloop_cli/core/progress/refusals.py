"""What edit tools say when they did not edit, whatever the details: a stable key for each reason. Pure."""

from __future__ import annotations

_ENDS_CHARS = 2000

_Reasons = tuple[tuple[str, tuple[str, ...]], ...]
# What all phrases of a group hold; then reasons with the words that must all be there, the closest first.
_GROUPS: tuple[tuple[str, _Reasons], ...] = (
    (
        "edit",
        (
            ("syntax", ("proposed edit has introduced new syntax error",)),
            ("syntax", ("edit was not applied", "syntax error")),
            ("not unique", ("failed to edit", "expected 1 occurrence but found")),
        ),
    ),
    (
        "replac",
        (
            ("not unique", ("no replacement was performed", "multiple occurrences")),
            ("not found", ("no replacement was performed",)),
            ("not unique", ("matches of the string to replace",)),
            ("not found", ("string to replace not found",)),
            ("not found", ("could not find the string to replace",)),
            ("not found", ("failed to replace", "not found")),
        ),
    ),
    (
        "old",
        (
            ("not found", ("old_str", "did not appear verbatim")),
            ("unchanged", ("old", "new", "are identical")),
            ("unchanged", ("old", "new", "exactly the same")),
            ("unchanged", ("old", "new", "must be different")),
            ("not unique", ("oldstring", "found multiple times")),
            ("not unique", ("oldstring", "multiple matches")),
            ("not unique", ("old_str", "not unique")),
            ("not found", ("oldstring", "not found")),
            ("not found", ("old_str", "not found")),
            ("not found", ("old text", "not found")),
            ("not found", ("old text must match exactly",)),
        ),
    ),
    (
        "patch",
        (
            ("malformed patch", ("malformed patch",)),
            ("malformed patch", ("corrupt patch at line",)),
            ("malformed patch", ("patch fragment without header",)),
            ("malformed patch", ("only garbage was found in the patch",)),
            ("malformed patch", ("no valid patches in input",)),
            ("malformed patch", ("invalid patch",)),
            ("patch", ("patch does not apply",)),
            ("patch", ("reversed (or previously applied) patch",)),
        ),
    ),
    (
        "hunk",
        (("patch", ("hunk #", " failed")), ("patch", ("hunks failed",)), ("patch", ("hunk", "ignored"))),
    ),
    (
        "failed to find",
        (("patch", ("failed to find expected lines",)), ("patch", ("failed to find context",))),
    ),
    (
        "search",
        (
            ("not found", ("search block", "match")),
            ("not found", ("searchreplacenoexactmatch",)),
            ("not found", ("search text", "not found")),
            ("not found", ("search pattern not found",)),
        ),
    ),
    ("find the exact text", (("not found", ("could not find the exact text",)),)),
    ("occurrences of the text", (("not unique", ("found", "occurrences of the text")),)),
    ("text not found in", (("not found", ("text not found in",)),)),
    ("change", (("unchanged", ("no changes to make",)), ("unchanged", ("no changes were made",)))),
    ("read", (("not read", ("file has not been read yet",)),)),
    ("modified since", (("changed since", ("modified since", "read")),)),
    ("invalid `", (("bad place", ("invalid `insert_line`",)), ("bad place", ("invalid `path` parameter",)))),
    ("sed: ", (("expression", ("sed: -e expression",)), ("expression", ("sed: can't ",)))),
)


def edit_error(text: str) -> str | None:
    """Why an edit tool did not edit (a word or two, the same for varying details); None when nothing says so.

    Looks at the first and the last 2,000 characters. Ask for edits only: others may quote such words.
    """
    ends = text if len(text) <= 2 * _ENDS_CHARS else text[:_ENDS_CHARS] + text[-_ENDS_CHARS:]
    lowered = ends.lower()
    for hint, reasons in _GROUPS:
        if hint in lowered:
            for reason, words in reasons:
                if all(word in lowered for word in words):
                    return reason
    return None
