"""Import of uvicorn's connections for the module that watches them; without it, the import says what to install."""

from __future__ import annotations

from restock.core.errors import require_extra

for package in ("uvicorn", "websockets", "httptools"):
    require_extra(package, "server", "the server")

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as HttpToolsProtocol  # noqa: E402
from uvicorn.protocols.websockets.websockets_sansio_impl import (  # noqa: E402
    WebSocketsSansIOProtocol as WebSocketsSansIOProtocol,
)
