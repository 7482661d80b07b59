"""How commands end: one clear line and the right exit code, whatever comes in or gets in the way."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from typing import Any

import pytest

from restock.cli import console
from restock.cli.main import ended
from restock.core.errors import InvalidInput
from tests.cli.running import COMMAND, environment, process, run

SIMULATE = ("simulate", "serial", "base-stock")

BAD = [
    # problems
    (("show", "nosuch"), "instance = 'nosuch': there is no such network. Known: diamond,"),
    (("show", "serail"), "instance = 'serail': there is no such network. Did you mean 'serial'?"),
    (("show", "restock/Serial-v9"), "id = 'restock/Serial-v9': there is no such environment. Did you mean"),
    (("show", "nowhere.yaml"), "file = 'nowhere.yaml': there is no such file."),
    (("show", "./"), "this is a folder"),
    (("compare", "serail"), "Did you mean 'serial'?"),
    ((*SIMULATE, "--horizon", "0"), "horizon = 0: must be at least 1."),
    ((*SIMULATE, "--discount", "1.5"), "discount = 1.5: must be at most 1."),
    ((*SIMULATE, "--discount", "nan"), "discount = nan"),
    # demand
    ((*SIMULATE, "--demand", "men=3"), "demand.men = 3: there is no such field. Did you mean 'mean'?"),
    ((*SIMULATE, "--demand", "mean=-1"), "demand.mean = -1"),
    ((*SIMULATE, "--demand", "mean=high"), "demand.mean = 'high': must be a number"),
    ((*SIMULATE, "--demand", "trend"), "--demand = 'trend': this is neither KEY=VALUE nor a mapping."),
    ((*SIMULATE, "--demand", "{mean: 3"), "--demand = '{mean: 3': this is not a value in YAML."),
    ((*SIMULATE, "--demand", "mean=[1"), "--demand = '[1': this is not a value in YAML."),
    ((*SIMULATE, "--demand", "effects.tend.slope=1"), "demand.effects.tend"),
    ((*SIMULATE, "--demand", "mean=3", "--demand", "mean.x=4"), "mean has a value already. Give it once."),
    ((*SIMULATE, "--demand", "distribution=poison"), "Did you mean 'poisson'?"),
    (
        (*SIMULATE, "--demand", "series=[1, 2, 3]"),
        "demand.series = '3 of 30 periods': the series is shorter than the horizon.",
    ),
    # policies
    (("simulate", "serial", "base-stok"), "policy = 'base-stok': there is no such policy. Did you mean 'base-stock'?"),
    ((*SIMULATE, "--set", "levels"), "--set = 'levels': this is not KEY=VALUE."),
    ((*SIMULATE, "--set", "=3"), "--set = '=3': this is not KEY=VALUE."),
    ((*SIMULATE, "--set", "level=3"), "level = 3: base-stock has no such parameter. Did you mean 'levels'?"),
    ((*SIMULATE, "--set", "levels=[1,2]"), "levels = [1, 2]: must be one number, or one for each of 1, 2, 3."),
    ((*SIMULATE, "--set", "service=2"), "service = 2: a critical ratio must lie between 0 and 1."),
    ((*SIMULATE, "--set", "mean=3", "--set", "mean=4"), "--set = 'mean=4': this parameter is given twice."),
    ((*SIMULATE, "--set", "mean={"), "mean = '{': this is not a value in YAML."),
    (("simulate", "serial", "base-stock:service"), "--set = 'service': this is not KEY=VALUE."),
    (("compare", "serial", "random", "random"), "POLICY = 'random': this is named twice."),
    (("compare", "serial", "random:most=3"), "most = 3: random has no such parameter."),
    # numbers of the run
    ((*SIMULATE, "--episodes", "0"), "episodes = 0: must be an integer >= 1."),
    ((*SIMULATE, "--episodes", "9999999999"), "episodes = 9999999999: must be at most"),
    ((*SIMULATE, "--seed", "-1"), "seed = -1: must be an integer >= 0."),
    # files
    ((*SIMULATE, "--out", "x.txt"), "--out = 'x.txt': the ending says in which form to write. Known: .parquet"),
    ((*SIMULATE, "--out", "x"), "--out = 'x': the ending says in which form to write."),
    ((*SIMULATE, "--out", "/dev/null/x.csv"), "it cannot be written"),
    (("compare", "serial", "--out", "t.xml"), "--out = 't.xml': the ending says in which form to write."),
    (("compare", "serial", "--out", "/dev/null/t.csv"), "it cannot be written"),
    (("compare", "serial", "--report", "/dev/null/r.html"), "it cannot be written"),
    # the command line itself
    (("frobnicate",), "'frobnicate'. See restock --help."),
    (("--nope",), "--nope"),
    (("simulate", "serial"), "POLICY"),
    (("show",), "PROBLEM"),
    ((*SIMULATE, "--episodes", "many"), "--episodes"),
    ((*SIMULATE, "--nope"), "See restock simulate --help."),
    ((*SIMULATE, "one-more"), "one-more"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=lambda value: " ".join(value)[-40:] if value else "")
def test_bad_input_is_told_in_one_line(arguments, said):
    ran = run(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("error: ") and ran.err.count("\n") == 1 and "Traceback" not in ran.err
    assert said in ran.err


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=lambda value: " ".join(value)[-40:] if value else "")
def test_bad_input_is_told_as_json(arguments, said):
    ran = run(*arguments, "--json")
    assert ran.code == 2
    document = ran.document
    assert document["exit_code"] == 2 and set(document["error"]) == {"field", "value", "problem", "mend"}
    error = document["error"]
    where = "" if error["field"] is None else f"{error['field']} = {error['value']}: "
    assert ran.err == f"error: {where}{error['problem']}. {error['mend']}\n"
    assert error["problem"] and error["mend"]


def test_nothing_is_written_where_the_input_is_bad(tmp_path):
    for arguments in (("--set", "levels=x"), ("--episodes", "0"), ("--demand", "mean=x")):
        run(*SIMULATE, *arguments, "--out", str(tmp_path / "x.csv"))
    run("compare", "serial", "nosuch", "--out", str(tmp_path / "t.csv"), "--report", str(tmp_path / "r.html"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (InvalidInput("a.b", 3, "this is wrong", "Mend it."), 2, "error: a.b = 3: this is wrong. Mend it.\n"),
        (MemoryError(), 1, "error: there is not enough memory. Run fewer episodes at once.\n"),
        (OSError(28, "No space left on device"), 1, "error: [Errno 28] No space left on device.\n"),
        (KeyboardInterrupt(), 130, "error: interrupted. Nothing was written.\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_whatever_happens_ends_in_one_line(raised, code, said, capsys):
    def command() -> None:
        raise raised

    assert ended(command, []) == code
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", said)
    assert ended(command, ["--json"]) == code
    assert json.loads(capsys.readouterr().out)["exit_code"] == code


def test_an_error_in_restock_itself_shows_where_it_is(capsys):
    def command() -> None:
        raise ZeroDivisionError("of all things")

    assert ended(command, []) == 1
    told = capsys.readouterr().err
    assert "Traceback" in told and "in command" in told
    assert told.endswith(
        "error: this is an error in restock (ZeroDivisionError: of all things). "
        "Please report it with what `restock doctor` prints.\n"
    )


def test_a_command_may_fail_without_an_error(capsys):
    assert ended(lambda: 1, []) == 1
    assert ended(lambda: None, []) == 0
    assert capsys.readouterr() == ("", "")


# as processes of their own --------------------------------------------------------------------------


def test_help_loads_nothing_heavy():
    heavy = ("numba", "highspy", "matplotlib", "networkx", "torch", "polars", "plotly", "PIL", "pydantic")
    code = (
        "import sys; sys.argv = ['restock', '--help']\n"
        "from restock.cli.main import main\n"
        "try: main()\n"
        f"except SystemExit: print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert done.stderr.strip() == "[]"
    assert "Usage: restock" in done.stdout


def test_list_and_show_do_not_compile():
    code = (
        "import sys; sys.argv = ['restock', sys.argv[1], *sys.argv[2:]]\n"
        "from restock.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print([m for m in ('numba', 'highspy') if m in sys.modules], file=sys.stderr)"
    )
    for arguments in (("list", "-q"), ("show", "divergent", "-q")):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment()
        )
        assert done.stderr.strip() == "[]"


def test_a_process_gives_code_and_streams():
    fine = process("simulate", "serial", "base-stock", "-n", "2", "--json")
    assert fine.code == 0 and fine.document["policy"] == "base-stock"
    bad = process("simulate", "serial", "base-stok", "--json")
    assert bad.code == 2 and bad.document["error"]["field"] == "policy" and bad.err.count("\n") == 1
    usage = process("simulate")
    assert usage.code == 2 and usage.out == "" and usage.err.startswith("error: ")


def test_json_alone_on_stdout_also_while_compiling(tmp_path):
    ran = process("simulate", "serial", "constant-order", "-n", "2", "--json", RESTOCK_CACHE_DIR=str(tmp_path))
    assert ran.code == 0 and ran.document["policy"] == "constant-order"
    assert "restock: compiling network" in ran.err
    again = process("simulate", "serial", "constant-order", "-n", "2", "--json", "-q", RESTOCK_CACHE_DIR=str(tmp_path))
    assert again.err == "" and again.document["kpis"] == ran.document["kpis"]


LONG_RUN = """
import sys
from restock.cli.main import main
from restock.solvers import lp

solve = lp.NetworkProgram.solve

def told(self, demand):
    print("solving", file=sys.stderr, flush=True)
    return solve(self, demand)

lp.NetworkProgram.solve = told
sys.argv = ["restock", "simulate", "pooled-supply", "hindsight", "-n", "500", "-q", *sys.argv[1:]]  # minutes
main()
"""


def test_ctrl_c_ends_a_long_run_and_leaves_nothing(tmp_path):
    running = subprocess.Popen(
        [sys.executable, "-c", LONG_RUN, "--json", "--out", str(tmp_path / "episodes.csv")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert running.stderr is not None and running.stderr.readline() == "solving\n"
        running.send_signal(signal.SIGINT)
        said, told = running.communicate(timeout=120)
    finally:
        running.kill()
    assert running.returncode == 130
    assert told.replace("solving\n", "") == "error: interrupted. Nothing was written.\n"
    assert json.loads(said)["exit_code"] == 130
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_a_file_is_written_leaves_the_old_one(tmp_path, monkeypatch):
    import csv

    out = tmp_path / "episodes.csv"
    out.write_text("the old one")

    def interrupted(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(csv, "writer", interrupted)
    ran = run(*SIMULATE, "-n", "2", "--out", str(out))
    assert ran.code == 130 and ran.err == "error: interrupted. Nothing was written.\n"
    assert [path.name for path in tmp_path.iterdir()] == [out.name] and out.read_text() == "the old one"


@pytest.mark.parametrize("arguments", [("list",), ("show", "serial", "--yaml"), ("list", "--json"), ("--help",)])
def test_a_reader_that_has_gone_is_no_error(arguments):
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*COMMAND, *arguments], stdout=write, stderr=subprocess.PIPE, text=True, env=environment()
        )
    finally:
        os.close(write)
    assert done.stderr.replace("More about one: restock show INSTANCE.\n", "") == ""
    assert done.returncode == 0 or arguments == ("--help",)  # help is written by typer


def on_terminal(*arguments: str, **changes: str) -> str:
    """What a command writes on a terminal, colours and all."""
    mine, its = pty.openpty()
    env = environment(TERM="xterm-256color", **changes)
    env.pop("COLORTERM", None)
    running = subprocess.Popen([*COMMAND, *arguments], stdout=its, stderr=subprocess.DEVNULL, env=env)
    os.close(its)
    written = b""
    while True:
        try:
            piece = os.read(mine, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(mine)
    assert running.wait() == 0
    return written.decode()


def test_colours_on_a_terminal_and_none_with_no_color():
    arguments = ("compare", "serial", "base-stock", "-n", "2", "--demand", "goodwill=true")
    yellow = "\x1b[33m"
    assert yellow in on_terminal(*arguments)
    plain = on_terminal(*arguments, NO_COLOR="1")
    assert yellow not in plain and "Warning" in plain


def test_a_terminal_without_unicode_gets_plain_signs():
    ran = process("compare", "serial", "base-stock", "random", "-n", "3", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ran.code == 0 and ran.out.isascii()
    assert " -" in ran.out and "?" not in ran.out


def test_progress_shows_on_a_terminal_only(monkeypatch):
    class Terminal:
        """Stands for a terminal, and keeps what is written on it."""

        def __init__(self) -> None:
            self.text = ""

        def write(self, text: str) -> int:
            self.text += text
            return len(text)

        def flush(self) -> None: ...

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(console, "SHOW_PROGRESS_AFTER", -1.0)
    monkeypatch.setenv("TERM", "xterm")
    for quiet, shows in ((False, True), (True, False)):
        monkeypatch.setattr(sys, "stderr", terminal := Terminal())
        with console.Console(as_json=False, quiet=quiet).progress() as tell:
            tell("base-stock", 50, 100)
        assert ("base-stock" in terminal.text and "50%" in terminal.text) == shows
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr(Terminal, "isatty", lambda self: False)
    with console.Console(as_json=False, quiet=False).progress() as tell:
        tell("base-stock", 50, 100)
    assert terminal.text == ""


def test_the_script_is_the_same_command(monkeypatch, capsys):
    from restock.cli.main import main

    monkeypatch.setattr(sys, "argv", ["restock", "--version"])
    with pytest.raises(SystemExit) as ended_with:
        main()
    assert ended_with.value.code == 0 and capsys.readouterr().out.startswith("restock ")
