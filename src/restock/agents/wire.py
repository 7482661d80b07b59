"""HTTP requests to an endpoint, within limits of time and size, whatever it sends and however slowly."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import os
import threading
import time
import zlib
from collections.abc import Mapping
from concurrent import futures
from contextlib import aclosing
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from restock.agents.usage import Usage
from restock.core.errors import InvalidInput, require_extra
from restock.core.loopback import LOOPBACK

if TYPE_CHECKING:
    import httpx

LARGEST = 8_000_000  # bytes of an answer
HOPS = 5  # redirects that are followed
KEEPS_POST = (307, 308)  # redirects that do not turn a request into another
PACKED = ("gzip", "x-gzip", "deflate")  # how an answer may be packed; what httpx knows besides has no limit
LISTEN = 0.2  # seconds between looks at whether somebody pressed Ctrl-C (Windows needs that)
CLOSED = "the connection to the endpoint is closed"


class Trouble(Exception):
    """Raised when a request brought no usable reply.

    Args:
        words: What happened.
        status: What kind of trouble it is, in HTTP's numbers; None where the endpoint does not say.
        wait: Seconds after which the endpoint wants to be asked again; None where it does not say.

    Attributes:
        usage: What the answer took nevertheless.
    """

    def __init__(self, words: str, status: int | None = None, wait: float | None = None) -> None:
        super().__init__(words)
        self.words, self.status, self.wait = words, status, wait
        self.usage = Usage()


@dataclasses.dataclass(frozen=True)
class Answered:
    """A response, not yet parsed.

    Attributes:
        status: Of HTTP.
        body: As it was decoded.
        headers: By their names in lower case.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def wait(self) -> float | None:
        """Seconds after which the endpoint asks to be called again."""
        given = self.headers.get("retry-after", "")
        milliseconds, seconds = _number(self.headers.get("retry-after-ms", "")), _number(given)
        if milliseconds is not None:
            return milliseconds / 1000.0
        if seconds is not None:
            return seconds
        try:
            return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
        except (ValueError, OverflowError):
            return None


class Wire:
    """A client of one address; several threads may use it at once.

    The requests run on an event loop in a thread of its own: only so can the time of a whole exchange be limited,
    from the look-up of the name to the last byte of the body, and only so does it work below a loop that runs
    already, as in a notebook.

    Args:
        url: Where to.
        headers: Sent with every request.
        timeout: Seconds for a whole exchange.

    Raises:
        InvalidInput: The package `httpx` is missing, or the environment names a proxy that cannot be used.
    """

    def __init__(self, url: httpx.URL, headers: Mapping[str, str], timeout: float) -> None:
        self._httpx = require_extra("httpx", "llm", "Asking a model")
        self._url, self._timeout = url, timeout
        try:
            self._client = self._httpx.AsyncClient(
                headers={"accept-encoding": PACKED[0], **headers},
                timeout=None,
                limits=self._httpx.Limits(max_connections=None),
                trust_env=url.scheme == "https" or url.host not in LOOPBACK,
            )
        except (ImportError, ValueError, OSError, self._httpx.InvalidURL) as error:
            mend = "Look at HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR."
            raise InvalidInput("environment", str(url.host), f"no connection can be made ({error})", mend) from None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="restock-endpoint", daemon=True)
        self._thread.start()

    def post(self, body: bytes) -> Answered:
        """Send a request and return the response.

        Raises:
            Trouble: None came, or not in time, or one that is too large.
            RuntimeError: It is closed, or was closed meanwhile.
        """
        if self._loop.is_closed():
            raise RuntimeError(CLOSED)
        asked = asyncio.run_coroutine_threadsafe(self._timed(body), self._loop)
        try:
            while not futures.wait([asked], LISTEN).done:
                pass
            return asked.result()
        except futures.CancelledError:
            raise RuntimeError(CLOSED) from None
        except KeyboardInterrupt:
            asked.cancel()
            raise

    def close(self) -> None:
        """Close connections and thread; pending requests end at once."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.aclose()

    async def _timed(self, body: bytes) -> Answered:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(body)
        except TimeoutError:
            raise Trouble(f"no whole answer within {self._timeout:g} seconds") from None
        except self._httpx.ConnectError as error:
            raise Trouble(f"it cannot be reached ({_bottom(error)})") from None
        except (self._httpx.HTTPError, self._httpx.InvalidURL, OSError, ValueError, zlib.error) as error:
            raise Trouble(f"the connection broke ({error or type(error).__name__})") from None

    async def _exchange(self, body: bytes) -> Answered:
        """Send a request and follow redirects on the same host: no other host is sent prompts or keys."""
        request = self._client.build_request("POST", self._url, content=body)
        for _ in range(HOPS):
            response = await self._client.send(request, stream=True)
            try:
                moved = response.next_request if response.status_code in KEEPS_POST else None
                if moved is None or not self._trusts(moved.url):
                    headers = {name.lower(): value for name, value in response.headers.items()}
                    return Answered(response.status_code, await self._read(response), headers)
                request = moved
            finally:
                await response.aclose()
        raise Trouble("it redirects in a circle")

    def _trusts(self, url: httpx.URL) -> bool:
        """Return whether an address has the same host and no less protection."""
        return url.host == self._url.host and url.scheme in (self._url.scheme, "https")

    async def _read(self, response: Any) -> bytes:
        """Return the body, or as much of it as came; compressed bodies are expanded only up to the size limit."""
        how = response.headers.get("content-encoding", "identity").strip().lower()
        if how not in (*PACKED, "identity"):
            if response.status_code < 300:
                raise Trouble(f"it packs its answer as {how[:40]!r}, which was not asked for")
            return b""
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress if how in PACKED else lambda piece, _: piece
        pieces, size = [], 0
        try:
            async with aclosing(response.aiter_raw()) as coming:
                async for packed in coming:
                    pieces.append(piece := unpack(packed, LARGEST + 1 - size))
                    size += len(piece)
                    if size > LARGEST:
                        raise Trouble(f"its answer is larger than {LARGEST // 1_000_000} MB")
        except (self._httpx.HTTPError, zlib.error):
            if response.status_code < 300:
                raise
        return b"".join(pieces)


def _bottom(error: BaseException) -> str:
    """Return the root cause of a failed connection."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return os.strerror(error.errno) if isinstance(error, ConnectionError) and error.errno else str(error)


def _number(text: str) -> float | None:
    """Return a header's number if it is not negative; None if there is none."""
    try:
        found = float(text)
    except ValueError:
        return None
    return max(0.0, found) if math.isfinite(found) else None
