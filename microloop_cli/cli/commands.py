"""The commands of microloop: a literal table, each loaded when it is called and not before."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from microloop_cli import __version__
from microloop_cli.cli.usage import did_you_mean
from microloop_cli.errors import UsageError

# name: (module with a function `command`, one line of help). The function's parameters are its options, its
# docstring is its help, what it returns is the exit code. A module may set CONTEXT (for typer).
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("microloop_cli.cli.run", "Run an agent inside a sandbox, watched."),
    "ls": ("microloop_cli.cli.ls", "List the runs of this workspace."),
    "inspect": ("microloop_cli.cli.inspect", "Show what a run did and why it ended."),
    "verify": ("microloop_cli.cli.verify", "Check that a run's bundle is whole and unchanged."),
    "replay": ("microloop_cli.cli.replay", "Judge an old run again: what would have happened."),
    "eval": ("microloop_cli.cli.eval", "Score the loop detection on recorded runs."),
    "gateway": ("microloop_cli.cli.gateway", "Meter and limit an agent's model calls, without a sandbox."),
    "doctor": ("microloop_cli.cli.doctor", "Try each sandbox on this host; say what is missing."),
    "schema": ("microloop_cli.cli.schema", "Print the JSON Schema of the ledger's events."),
}


class LazyCommands(TyperGroup):
    """The command group over COMMANDS; listing them loads none of them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in COMMANDS:
            return _load(cmd_name)
        if ctx.resilient_parsing:
            return None
        hint = did_you_mean(cmd_name, COMMANDS) or "microloop --help lists the commands"
        raise UsageError(f"no such command: {cmd_name}", hint=hint)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _load(name: str) -> Any:
    module = import_module(COMMANDS[name][0])
    app = _new_app()
    app.command(name, context_settings=getattr(module, "CONTEXT", None))(module.command)
    return typer.main.get_command(app)


def _new_app(group: type[TyperGroup] | None = None) -> typer.Typer:
    # No markup and no pretty exceptions: typer would import rich for them, on every start.
    return typer.Typer(
        cls=group,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        invoke_without_command=group is not None,
        context_settings={"help_option_names": ["-h", "--help"]} if group is not None else None,
    )


def _root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", is_eager=True, help="Print the version and exit."),
) -> None:
    """Run a coding agent alone, inside a sandbox that sees every command, tells progress from circles, and
    keeps the evidence."""
    if version:
        typer.echo(f"microloop {__version__}")
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


def run_command_line(arguments: list[str]) -> int:
    """Parse and perform one command line; the exit code. Raises typer's errors and the command's."""
    app = _new_app(LazyCommands)
    app.callback()(_root)
    group = typer.main.get_command(app)
    try:
        with group.make_context("microloop", arguments) as context:
            code = group.invoke(context)
    except typer.Exit as leaving:
        return leaving.exit_code
    return code if isinstance(code, int) else 0
