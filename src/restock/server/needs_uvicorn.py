"""uvicorn's connections, for the module that watches them; without it their import says what to install."""

from __future__ import annotations

from restock.core.errors import require_extra

require_extra("uvicorn", "server", "the server")
require_extra("websockets", "server", "the server")

import h11 as h11  # noqa: E402
from uvicorn.protocols.http.h11_impl import H11Protocol as H11Protocol  # noqa: E402
from uvicorn.protocols.websockets.websockets_sansio_impl import (  # noqa: E402
    WebSocketsSansIOProtocol as WebSocketsSansIOProtocol,
)
