"""`restock serve`: problems for agents and for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restock.cli.console import FINE, AsJson, Console, Quiet
from restock.core.errors import InvalidInput

ServedProblem = Annotated[
    str,
    typer.Argument(
        metavar="PROBLEM",
        help="What is played where a client names no task: as for the other commands, or easy, medium, hard.",
    ),
]
Host = Annotated[str, typer.Option("--host", help="Address to listen at; 0.0.0.0 lets other machines in.")]
Port = Annotated[int, typer.Option("--port", "-p", help="Port to listen at; 0 takes a free one.")]
Token = Annotated[
    str | None,
    typer.Option("--token", help="Clients must send this word. Default: RESTOCK_TOKEN of the environment, if set."),
]
Reward = Annotated[str, typer.Option("--reward", help="Of the published stores: decomposed, readme or profit.")]
MaxSessions = Annotated[int, typer.Option("--max-sessions", help="Episodes that may be under way at once.")]
SessionsOfOne = Annotated[
    int | None, typer.Option("--sessions-of-one", help="Of these, how many one address may have. Default: all.")
]
Idle = Annotated[float, typer.Option("--idle", help="Close a session that nobody has used for so many seconds.")]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        metavar="NAME",
        help="Answer requests that call the server by this name, as a proxy passes them on; * is any name. Repeatable. "
        "Also read from RESTOCK_ALLOW_HOST.",
    ),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder whose transcripts (*.jsonl) and runs the pages show.")]
MaxBody = Annotated[int, typer.Option("--max-body", help="Largest request, and largest message, in bytes.")]

Judged = Annotated[
    Path | None,
    typer.Option(
        "--judged", metavar="FILE",
        help="Judge who plays PROBLEM: the server chooses the episodes, each is played once, results go to this file.",
    ),
]  # fmt: skip
JudgedEpisodes = Annotated[
    int | None, typer.Option("--episodes", "-n", help="How many there are for all clients together. Default: 1.")
]
JudgedSeed = Annotated[int | None, typer.Option("--seed", help="Of these episodes. Default: one that nobody knows.")]


def serve(
    problem: ServedProblem = "medium",
    host: Host = "127.0.0.1",
    port: Port = 8000,
    allow_host: AllowHost = None,
    token: Token = None,
    reward: Reward = "decomposed",
    max_sessions: MaxSessions = 64,
    sessions_of_one: SessionsOfOne = None,
    idle: Idle = 1800.0,
    max_body: MaxBody = 65536,
    runs: Runs = Path("runs"),
    judged: Judged = None,
    episodes: JudgedEpisodes = None,
    seed: JudgedSeed = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Serve problems: to agents over WebSockets (OpenEnv), plain HTTP and as tools (MCP), to people as pages.

    On the pages one plays by hand, watches policies and transcripts, and compares.
    All shipped problems can be played; PROBLEM is the one where a client names none. Ctrl-C ends the server.
    """
    from restock.core.loopback import LOOPBACK
    from restock.server.judged import Judging, results
    from restock.server.limits import Limits
    from restock.server.run import hosts_of_environment, run, token_of_environment
    from restock.server.settings import Settings

    console = Console(as_json, quiet)
    word = token_of_environment(token)

    def tell(address: str, port: int, task: str) -> None:
        url = f"http://{f'[{address}]' if ':' in address else address}:{port}"
        if as_json:
            told = {"url": url, "host": address, "port": port, "task": task, "token": word is not None}
            console.document(told)
        pages = "open it in a browser; " if judging is None else ""
        console.remark(f"Serving {task} at {url} ({pages}agents: ws{url[4:]}/ws). Ctrl-C ends the server.")
        if host not in LOOPBACK and word is None:
            console.remark("Everybody who can reach this machine may play: --token asks for a word.")
        if judging is not None:
            begun = len(results(judging.results))
            before = f"; {begun} begun before" if begun else ""
            played = f"Judged episodes: {judging.episodes}, each played once{before}."
            console.remark(f"{played} Results: {judging.results}.")

    judging = None if judged is None else Judging(judged, 1 if episodes is None else episodes, seed)
    for option, given in (("--episodes", episodes), ("--seed", seed)):
        if judging is None and given is not None:
            raise InvalidInput(option, given, "must stand beside --judged", "Add --judged FILE, or leave it out.")
    limits = Limits(sessions_of_one=sessions_of_one)
    settings = Settings(problem, reward, word, max_sessions, idle, max_body, runs, limits=limits, judged=judging)
    run(settings, host, port, tell, hosts_of_environment(allow_host))
    console.remark("The server has ended.")
    return FINE
