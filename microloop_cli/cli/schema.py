"""`microloop schema`: the JSON Schema of the ledger."""

from __future__ import annotations


def command() -> int:
    """Print the JSON Schema that every line of events.jsonl meets."""
    from microloop_cli.bundle.schema import ledger_schema
    from microloop_cli.cli.output import write_json

    write_json(ledger_schema())
    return 0
