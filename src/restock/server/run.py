"""Serving the application with uvicorn."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from restock.core.errors import InvalidInput, require_extra
from restock.server.hosts import hosts_of
from restock.server.logs import seldom
from restock.server.settings import Settings, check_token

TOKEN = "RESTOCK_TOKEN"
ALLOW_HOST, SPACE_HOST = "RESTOCK_ALLOW_HOST", "SPACE_HOST"
PING = 20.0  # seconds after which a socket is asked whether it is still there
WAITS = 1024  # connections that may wait to be taken
LEAST_FRAME = 1 << 20  # bytes of a WebSocket frame that are read at all, so that one too large gets an answer
MOST_PORT = 65535


def run(
    settings: Settings,
    host: str,
    port: int,
    tell: Callable[[str, int, str], None],
    allow_hosts: Iterable[str] = (),
) -> None:
    """Serve until stopped (Ctrl-C, or the signal TERM).

    Args:
        settings: What is served; `hosts` is set here.
        host: Address to listen at.
        port: Port; 0 takes a free one.
        tell: Called with address, port and the default task once it listens.
        allow_hosts: Names that requests may address it by, besides those of `host`; `*`: any.

    Raises:
        InvalidInput: There is no such port, problem, or extra, or a name is none.
        OSError: Another program listens there, or there is no such address.
    """
    import dataclasses

    require_extra("uvicorn", "server", "the server")
    require_extra("websockets", "server", "the server")
    from restock.server.app import create_app

    if not 0 <= port <= MOST_PORT:
        raise InvalidInput("port", port, f"must be 0 to {MOST_PORT}", "Write for instance 8000.")
    settings = dataclasses.replace(settings, hosts=hosts_of(host, allow_hosts))
    app = create_app(settings)
    with _listening(host, port) as listener:
        address = listener.getsockname()
        tell(str(address[0]), int(address[1]), app.state.hub.catalogue.default)
        server = server_of(app, settings, alone=True)
        with seldom(), contextlib.suppress(KeyboardInterrupt):  # which uvicorn raises once more when it has ended
            server.run(sockets=[listener])
        if not server.started:
            raise OSError("the server did not start; what stopped it is told above")


class Background(NamedTuple):
    """A server that runs in a thread.

    Attributes:
        url: Its address.
        app: The application.
    """

    url: str
    app: Any


@contextlib.contextmanager
def in_background(settings: Settings | None = None, port: int = 0) -> Iterator[Background]:
    """Serve on this machine until the block ends: for notebooks, examples and tests.

    Args:
        settings: What is served; default: the published stores.
        port: Port; 0 takes a free one.

    Raises:
        InvalidInput: There is no such problem, or an extra is missing.
        OSError: Another program listens there, or the server does not start.

    Example:
        >>> import urllib.request
        >>> with in_background() as server:
        ...     urllib.request.urlopen(server.url + "/health").read()
        b'{"status":"healthy"}'
    """
    require_extra("uvicorn", "server", "the server")
    from restock.server.app import create_app

    told = settings or Settings()
    app = create_app(told)
    with _listening("127.0.0.1", port) as listener:
        server = server_of(app, told)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        with seldom():
            thread.start()
            while not server.started:
                if not thread.is_alive():
                    raise OSError("the server did not start; what stopped it is told above")
                time.sleep(0.01)
            try:
                yield Background(f"http://127.0.0.1:{listener.getsockname()[1]}", app)
            finally:
                server.should_exit = True
                thread.join()


def server_of(app: Any, settings: Settings, *, alone: bool = False) -> Any:
    """Return the uvicorn server of an application, with its connections watched.

    Args:
        app: The application.
        settings: Of the server.
        alone: Whether the process does nothing else. What it holds when it begins to listen then stays for good, and
            Python need not look through all of it for what is no longer used, 60 ms in which nobody is answered.
    """
    import uvicorn

    from restock.server.connections import AT_ONCE, Connections
    from restock.server.protocols import protocols

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            for listener in sockets or ():  # asyncio waits with as many connections as it accepts at once
                listener.listen(WAITS)
            if alone:
                gc.collect()
                gc.freeze()

    connections = app.state.connections = Connections(settings.limits, settings.max_sessions)
    made = protocols(connections, app.state.hub.meter, settings.hosts)
    config = uvicorn.Config(
        app,
        http=made.http,
        ws=made.socket,
        backlog=AT_ONCE,
        ws_max_size=max(LEAST_FRAME, 16 * settings.max_body),
        ws_per_message_deflate=False,
        ws_ping_interval=min(PING, settings.limits.reply),
        ws_ping_timeout=settings.limits.reply,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    return Server(config)


def token_of_environment(token: str | None) -> str | None:
    """Return the given token, or the one in the environment of the process.

    Raises:
        InvalidInput: The one in the environment is none.
    """
    told = os.environ.get(TOKEN)
    return token if token is not None or told is None else check_token(told, TOKEN)


def hosts_of_environment(names: Iterable[str] | None) -> list[str]:
    """Return the given names and those in the environment of the process; a Hugging Face Space sets its own.

    Raises:
        InvalidInput: One in the environment is no name.
    """
    found = list(names or ())
    for variable in (ALLOW_HOST, SPACE_HOST):
        told = os.environ.get(variable, "").replace(",", " ").split()
        with named_by_variables(allow_host=variable):
            hosts_of("", told)
        found += told
    return found


@contextlib.contextmanager
def named_by_variables(**variables: str) -> Iterator[None]:
    """Let an error about a setting name the variable of the environment that it was read from.

    Args:
        **variables: By the field that errors name.
    """
    try:
        yield
    except InvalidInput as error:
        if error.field not in variables:
            raise
        raise InvalidInput(variables[error.field], error.value, error.problem, error.mend) from None


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        kind, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # By this number asyncio knows that small packets are to be sent at once.
        listener = socket.socket(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise OSError(f"there is no address {host!r} here ({error}). Give another host") from None
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(WAITS)
        except OSError as error:
            what = f"cannot listen at {host} port {port} ({error.strerror})"
            raise OSError(f"{what}. Give another port, or 0 for a free one") from None
        yield listener
