"""The command `restock`: its subcommands, and how they end.

Exit codes: 0 fine, 1 it failed, 2 the input was not usable, 130 interrupted. Whatever happens is told
in one line on stderr (with `--json` also as a document on stdout), never as a traceback, unless it is
an error in restock itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from restock.cli import stdout
from restock.cli.agent import agent
from restock.cli.bench import bench
from restock.cli.compare import compare
from restock.cli.console import BAD_INPUT, FAILED, FINE, INTERRUPTED, Halted, as_document, tell, write
from restock.cli.demo import demo
from restock.cli.doctor import doctor
from restock.cli.evaluate import evaluate
from restock.cli.export import export
from restock.cli.fit import fit
from restock.cli.grade import grade
from restock.cli.leaderboard import leaderboard
from restock.cli.list import list_all
from restock.cli.new import new
from restock.cli.package import package
from restock.cli.serve import serve
from restock.cli.show import show
from restock.cli.simulate import simulate
from restock.cli.train import train
from restock.cli.tune import tune
from restock.core.errors import InvalidInput, shown


class Commands(TyperGroup):
    """The commands, which end in one of four ways however they are started."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and exit with its code."""
        given = sys.argv[1:] if args is None else list(args)
        with stdout.reserved() if _one_document(given) else contextlib.nullcontext():
            code = ended(lambda: super(Commands, self).main(given, "restock", standalone_mode=False, **extra), given)
        sys.exit(code)


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Inventory control: describe a system once; simulate, solve and learn it, compare fairly, let agents play.",
)
app.command("list")(list_all)
app.command("show")(show)
app.command("simulate")(simulate)
app.command("compare")(compare)
app.command("fit")(fit)
app.command("bench")(bench)
app.command("train")(train)
app.command("tune")(tune)
app.command("evaluate")(evaluate)
app.command("agent")(agent)
app.command("export")(export)
app.command("leaderboard")(leaderboard)
app.command("grade")(grade)
app.command("serve")(serve)
app.command("package")(package)
app.command("new")(new)
app.command("demo")(demo)
app.command("doctor")(doctor)


def _version(wanted: bool) -> None:
    if wanted:
        import restock

        write(f"restock {restock.__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Print the help if no command is given."""
    if context.invoked_subcommand is None:
        write(context.get_help() + "\n")


def ended(command: Callable[[], Any], given: Sequence[str]) -> int:
    """Run a command and return its exit code.

    Args:
        command: Returns an exit code, or nothing.
        given: The arguments, to see whether JSON was asked for.
    """
    as_json = "--json" in given
    try:
        result = command()
    except InvalidInput as error:
        return _told(as_json, BAD_INPUT, error.problem, error.mend, error.field, shown(error.value))
    except Halted as halt:
        return _told(as_json, halt.code, str(halt), halt.mend)
    except (KeyboardInterrupt, typer.Abort):
        result = INTERRUPTED
    except MemoryError:
        return _told(as_json, FAILED, "there is not enough memory", "Run fewer episodes at once.")
    except OSError as error:
        return _told(as_json, FAILED, str(error))
    except Exception as error:
        if hasattr(error, "format_message"):  # typer found fault with the command line
            path = getattr(getattr(error, "ctx", None), "command_path", "restock")
            return _told(as_json, BAD_INPUT, error.format_message().rstrip("."), f"See {path} --help.")
        tell(traceback.format_exc().rstrip("\n"))
        what = f"this is an error in restock ({type(error).__name__}: {error})"
        return _told(as_json, FAILED, what, "Please report it with what `restock doctor` prints.")
    if result == INTERRUPTED:
        return _told(as_json, INTERRUPTED, "interrupted", "Nothing was written.")
    return result if isinstance(result, int) else FINE


def _told(
    as_json: bool, code: int, problem: str, mend: str = "", field: str | None = None, value: str | None = None
) -> int:
    """Report in one line on stderr, and as JSON if asked for, how a command failed."""
    where = "" if field is None else f"{field} = {value}: "
    tell(f"error: {where}{problem}. {mend}".rstrip())
    if as_json:
        finding = {"field": field, "value": value, "problem": problem, "mend": mend or None}
        with contextlib.suppress(typer.Exit):
            write(as_document({"error": finding, "exit_code": code}))
    return code


def _one_document(given: Sequence[str]) -> bool:
    """Return whether the arguments ask for JSON and nothing else on stdout."""
    return "--json" in given and not {"--help", "-h"} & set(given)


def main() -> None:
    """The entry point."""
    for stream in ("stdout", "stderr"):  # Python has none where the caller closed it
        if getattr(sys, stream) is None:
            setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))
    if _one_document(sys.argv[1:]):
        stdout.reserve()  # to the very end: libraries may print when the process ends
    app()
