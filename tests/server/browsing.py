"""A person at the pages: a client with cookies, and what a page says."""

from __future__ import annotations

import html
import re
import time
from typing import ClassVar

import httpx

from tests.server.serving import PATIENCE, Running

SEED = 7


class Browser:
    """A client with cookies that goes where it is sent, until its test ends."""

    opened: ClassVar[list[Browser]] = []

    def __init__(self, server: Running) -> None:
        self.opened.append(self)
        self.client = httpx.Client(
            base_url=server.url, headers={"accept": "text/html"}, timeout=PATIENCE, trust_env=False,
            follow_redirects=True,
        )  # fmt: skip

    def get(self, path: str, **given: object) -> httpx.Response:
        return self.waited(self.client.get(path, **given))  # type: ignore[arg-type]

    def post(self, path: str, data: object = None, **given: object) -> httpx.Response:
        return self.waited(self.client.post(path, data=data, **given))  # type: ignore[arg-type]

    def waited(self, reply: httpx.Response) -> httpx.Response:
        end = time.monotonic() + PATIENCE
        while 'http-equiv="refresh"' in reply.text:
            assert time.monotonic() < end
            time.sleep(0.05)
            reply = self.client.get(reply.url)
        return reply

    def game(self, task: str, seed: int = SEED) -> str:
        """Begin a game; its address."""
        reply = self.post("/games", {"task": task, "seed": str(seed)})
        assert reply.status_code == 200, reply.text
        return reply.url.path

    def show(self, task: str, policy: str) -> str:
        reply = self.post("/shows", {"task": task, "seed": str(SEED), "policy": policy})
        assert reply.status_code == 200, reply.text
        return reply.url.path


def words(reply: httpx.Response) -> str:
    """The text of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", reply.text)).split())
