"""The plan of a run as lines for a person. Pure."""

from __future__ import annotations

import json
import shlex
from typing import Any

from microloop_cli.bundle.harmless import harmless


def plan_lines(document: dict[str, Any]) -> list[str]:
    """Lines without control sequences; `document` is what `run.dryrun.plan_document` gives."""
    sandbox = document["sandbox"]
    lines = [
        f"would run   {shlex.join(document['argv'])}",
        f"in          {document['cwd']} (workspace {document['workspace']})",
        f"sandbox     {sandbox['backend']}, agent profile {document['agent_profile']}",
        f"variables   {', '.join(document['variables']) or 'none passed on'}",
        f"models      {document['doors']['model'] or 'no way to any'}",
        f"network     {document['doors']['egress'] or 'no proxy'}",
        "",
        "enforced",
        *_table(sandbox["enforced"]),
        "not enforced",
        *_table(sandbox["missing"]),
        "settings",
        *(f"  {row['path']:<24} {_value(row['value'])}  ({row['source']})" for row in document["settings"]),
        *(["notes", *(f"  {note}" for note in document["notes"])] if document["notes"] else []),
        "launch",
        *_launch(document["launch"]),
    ]
    return [harmless(line) for line in lines]


def _table(rows: dict[str, str]) -> list[str]:
    return [f"  {name:<12} {text}" for name, text in rows.items()] or ["  nothing"]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _launch(spec: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in spec.items():
        if name == "argv":
            lines += ["  " + shlex.join(value)]
        else:
            lines += [f"  {name}: {json.dumps(value, sort_keys=True)}"]
    return lines
