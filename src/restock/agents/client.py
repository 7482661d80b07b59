"""A client for models at any endpoint that speaks OpenAI's chat completions; it retries after passing failures."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from restock.agents.completion import ANSWERS, Reply, read
from restock.agents.secrets import Secrets, of_address
from restock.agents.usage import Usage
from restock.agents.wire import Trouble, Wire
from restock.core.errors import InvalidInput, Unfinished, require_extra

if TYPE_CHECKING:
    import httpx

BUSY = 429
PASSING = (408, 409, 425, BUSY)  # statuses that may go away, as those from 500 on
UNSUITED = (400, 422)  # statuses that complain of what is asked for
LONGEST_WAIT = 60.0  # seconds before the next try, whatever the endpoint asks for
KEYS = ("API_KEY", "HF_TOKEN", "OPENAI_API_KEY")
PATH = "/chat/completions"
# Fields of a request that are not for `Request.body`, and who sets them.
SETTLED = {
    "model": "--model sets it",
    "messages": "they are what is played",
    "tools": "--mode sets them",
    "tool_choice": "--mode sets it",
    "temperature": "--temperature sets it",
    "max_tokens": "--max-tokens sets it",
    "max_completion_tokens": "--max-tokens sets it",
    "seed": "--model-seed sets it",
    "stream": "replies are read whole",
    "n": "one reply is asked for",
}


class EndpointError(Unfinished):
    """Raised when the endpoint does not answer, or refuses."""


class Model(Protocol):
    """Something that can be asked."""

    def ask(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = (), use: str = "auto"
    ) -> Reply:
        """Return the reply to a conversation.

        Args:
            messages: The conversation, as OpenAI's API writes it.
            tools: That it may use, as that writes them.
            use: `auto`, or `none` where it may no longer use them.
        """


@dataclasses.dataclass(frozen=True)
class Request:
    """How a model is asked.

    Attributes:
        model: Its name at the endpoint.
        temperature: Of sampling; None leaves it to the endpoint.
        max_tokens: Most tokens it may write in a reply; None leaves it to the endpoint.
        seed: Of sampling, where the endpoint takes one; None for none.
        timeout: Seconds for a whole reply.
        tries: Most requests for one reply.
        body: More fields of a request, such as `reasoning_effort`, `top_p` or `response_format`.
    """

    model: str
    temperature: float | None = 0.0
    max_tokens: int | None = 4096
    seed: int | None = None
    timeout: float = 120.0
    tries: int = 5
    body: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def check_body(self) -> None:
        """Check that the further fields are JSON and that none of them is set by another option.

        Raises:
            InvalidInput: One of them is.
        """
        if not isinstance(self.body, Mapping):
            raise InvalidInput("body", self.body, "must be a mapping", "Write for instance {'top_p': 0.9}.")
        for name, value in self.body.items():
            if name in SETTLED:
                raise InvalidInput(f"body.{name}", value, "must not be given here", f"Here {SETTLED[name]}.")
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError, RecursionError):
                raise InvalidInput(f"body.{name}", value, "must be JSON", "Write for instance 0.9.") from None


class Endpoint:
    """A model behind an OpenAI-compatible endpoint; several threads may ask it at once.

    An endpoint that is busy, fails, does not answer in time or sends what cannot be read is asked again after 1, 2,
    4 ... seconds, or after what it asks for. A model that does not take the temperature, the seed or the limit of
    tokens is asked without them from then on. The key and the values of own headers are taken out of whatever it
    sends.

    Args:
        base_url: Address of the API, up to `/v1`; default: `API_BASE_URL` or `OPENAI_BASE_URL` of the environment.
        api_key: Default: `API_KEY`, `HF_TOKEN` or `OPENAI_API_KEY`. An endpoint of one's own may need none.
        request: How the model is asked.
        wait: Sleeps so many seconds.
        headers: Sent with every request.

    Raises:
        InvalidInput: The package `httpx` is missing, no address is given, or a header cannot be sent.
    """

    def __init__(
        self,
        base_url: str | None,
        api_key: str | None,
        request: Request,
        wait: Callable[[float], None] = time.sleep,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        address = (base_url or os.environ.get("API_BASE_URL") or os.environ.get("OPENAI_BASE_URL") or "").strip()
        if not address:
            mend = "Give --base-url, or set API_BASE_URL. Without a model: --model stand-in:base-stock."
            raise InvalidInput("base_url", base_url, "no endpoint is given", mend)
        url = url_of(address)
        key = (api_key or next((os.environ[name] for name in KEYS if os.environ.get(name)), "none")).strip()
        if not (key.isascii() and key.isprintable()):
            raise InvalidInput("api_key", "...", "must be printable ASCII", "Copy it again.")
        self.base_url, self.request, self._wait = public(address), request, wait
        self._optional = {
            name: value
            for name, value in (
                ("temperature", request.temperature),
                ("seed", request.seed),
                ("max_tokens", request.max_tokens),
            )
            if value is not None
        }
        more = headers or {}
        self._wire = Wire(url, _headers(key, more), request.timeout)
        self._secrets = Secrets([key, *more.values(), *of_address(address)])

    def ask(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = (), use: str = "auto"
    ) -> Reply:
        """Return the reply to a conversation.

        Raises:
            EndpointError: It says no, or does not answer however often it is asked.
        """
        began = time.monotonic()
        given: dict[str, Any] = {"model": self.request.model, "messages": list(messages), **self.request.body}
        given |= {"tools": list(tools), "tool_choice": use} if tools else {}
        tries, pause, lost = 1, 1.0, Usage()
        while True:
            optional = self._optional
            try:
                answered = self._secrets.answered(self._wire.post(json.dumps(given | optional).encode()))
                found = self._secrets.reply(read(answered, bool(tools), len(messages)))
                return found.after(lost, tries, time.monotonic() - began)
            except Trouble as trouble:
                trouble.words = self._secrets.out_of(trouble.words)
                lost = trouble.usage.after(lost)
                if trouble.status in UNSUITED and self._does_without(trouble.words, optional):
                    continue
                if trouble.status is not None and trouble.status not in PASSING and trouble.status < 500:
                    raise self._refused(trouble) from None
                if tries >= self.request.tries:
                    problem = f"the endpoint {self.base_url} gives no answer: {trouble.words}, {_times(tries)}"
                    raise EndpointError(problem, _patience(trouble.status)) from None
                asked_for = trouble.wait
            self._wait(min(pause if asked_for is None else asked_for, LONGEST_WAIT))
            pause *= 2.0
            tries += 1

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def _does_without(self, said: str, sent: Mapping[str, Any]) -> bool:
        """Leave out a field that the model rejects, if that was the complaint; return whether one was left out."""
        complained = next((name for name in sent if re.search(rf"\b{name}\b", said)), None)
        if complained is None:
            return False
        left = {name: value for name, value in self._optional.items() if name != complained}
        if complained == "max_tokens" and "max_completion_tokens" in said:
            left["max_completion_tokens"] = sent["max_tokens"]
        self._optional = left
        return True

    def _refused(self, trouble: Trouble) -> EndpointError:
        mends = {
            401: "Give a key: set API_KEY or HF_TOKEN.",
            403: "This key may not use that model.",
            404: "Check --model and --base-url: the address usually ends in /v1.",
        }
        moved = trouble.status is not None and trouble.status < 400
        mend = "Give the address it names as --base-url, if you trust it." if moved else "See what it says."
        problem = f"the endpoint {self.base_url} refuses ({trouble.words.removeprefix(ANSWERS)})"
        return EndpointError(problem, mends.get(trouble.status or 0, mend))


def _patience(status: int | None) -> str:
    """Return what may help if retrying did not, from the last status."""
    if status == BUSY:
        return "Wait, or ask less at a time: lower --jobs, or raise --tries."
    if status is not None and status >= 500:
        return "Try again later, or raise --tries."
    return "Check --base-url, which usually ends in /v1, or raise --timeout or --tries."


def public(address: str) -> str:
    """Return an address without anything secret in it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def url_of(address: str) -> httpx.URL:
    """Return the address that requests go to.

    Raises:
        InvalidInput: It is no address, or the package `httpx` is missing.
    """
    package = require_extra("httpx", "llm", "Asking a model")
    try:
        url: httpx.URL = package.URL(address)
        public(address)  # reads the port too
    except (package.InvalidURL, ValueError):
        url = package.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidInput(
            "base_url", address, "must be an http or https address", "Write for instance http://localhost:8000/v1."
        )
    path = url.path.rstrip("/")
    return url.copy_with(path=path if path.endswith(PATH) else path + PATH)


def _headers(key: str, more: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a request.

    Raises:
        InvalidInput: A header cannot be sent; its value, which may be secret, is not told.
    """
    found = {"authorization": f"Bearer {key}", "content-type": "application/json", "user-agent": "restock"}
    for name, value in more.items():
        sendable = isinstance(value, str) and value.isascii() and value.isprintable()
        if not sendable or not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            raise InvalidInput("header", name, "this cannot be sent", "Write for instance 'X-Title: restock'.")
        found[name.lower()] = value.strip()
    return found


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
