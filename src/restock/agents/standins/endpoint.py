"""A scripted model that is asked like any other, behind its own endpoint, which starts when first needed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

from restock.agents.client import Endpoint, Request
from restock.agents.completion import Reply
from restock.agents.standins.server import serving
from restock.agents.standins.speakers import speaker
from restock.core.errors import require_extra
from restock.core.problem import Problem


class StandIn:
    """A scripted model.

    Args:
        problem: What is played.
        information: What it is told, `blind` or `informed`.
        request: How it is asked; its model is the name of the script.

    Raises:
        InvalidInput: The package `httpx` is missing, or there is no such script for this problem.
    """

    def __init__(self, problem: Problem, information: str, request: Request) -> None:
        require_extra("httpx", "llm", "Asking a model")
        self._speaker = speaker(request.model, problem.prior() if information == "blind" else problem)
        self._request, self._opened, self._beginning = request, ExitStack(), threading.Lock()
        self._endpoint: Endpoint | None = None

    def ask(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = (), use: str = "auto"
    ) -> Reply:
        """Return its reply.

        Raises:
            EndpointError: As of any endpoint.
        """
        with self._beginning:
            if self._endpoint is None:
                server = self._opened.enter_context(serving(self._speaker))
                self._endpoint = self._opened.enter_context(closing(Endpoint(server.address, "none", self._request)))
        return self._endpoint.ask(messages, tools, use)

    def close(self) -> None:
        """Stop its endpoint."""
        self._opened.close()
