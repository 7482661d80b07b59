"""Asking a model: any endpoint that speaks OpenAI's chat completions, with patience for what passes."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from restock.core.errors import InvalidInput, Unfinished, require_extra

PASSING = (408, 409, 425, 429)  # statuses that may go away, as those from 500 on
LONGEST_WAIT = 60.0  # seconds before the next try, whatever the endpoint asks for
KEYS = ("API_KEY", "HF_TOKEN", "OPENAI_API_KEY")


class EndpointError(Unfinished):
    """The endpoint does not answer, or says no."""


@dataclasses.dataclass(frozen=True)
class Call:
    """A tool that a model wants to use.

    Attributes:
        id: What the endpoint calls this use.
        name: Of the tool.
        arguments: JSON, as the model wrote it.
    """

    id: str
    name: str
    arguments: str


@dataclasses.dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        text: What the model wrote; empty where it wrote nothing.
        calls: Tools it wants to use.
        tokens_in: Tokens read, as the endpoint counts them; 0 where it does not.
        tokens_out: Tokens written.
        tries: Requests it took; more than 1 where an endpoint was busy.
        seconds: From the first request to the answer.
        finish: Why it ended, `stop` or `length`.
    """

    text: str
    calls: tuple[Call, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    tries: int = 1
    seconds: float = 0.0
    finish: str = "stop"


class Model(Protocol):
    """Something that can be asked."""

    def ask(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = (), use: str = "auto"
    ) -> Reply:
        """The reply to a conversation.

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
        timeout: Seconds to wait for a reply.
        tries: Most requests for one reply.
    """

    model: str
    temperature: float | None = 0.0
    max_tokens: int | None = 4096
    seed: int | None = None
    timeout: float = 120.0
    tries: int = 5


class Endpoint:
    """A model behind an OpenAI-compatible endpoint.

    A busy or failing endpoint (429, 5xx, no answer in time) is asked again after 1, 2, 4 ... seconds, or after
    what it asks for. A model that does not take the temperature, the seed or the limit of tokens is asked
    without them from then on.

    Args:
        base_url: Address of the API, up to `/v1`; default: `API_BASE_URL` or `OPENAI_BASE_URL` of the environment.
        api_key: Default: `API_KEY`, `HF_TOKEN` or `OPENAI_API_KEY`. An endpoint of one's own may need none.
        request: How the model is asked.
        wait: Sleeps so many seconds.

    Raises:
        InvalidInput: The package `openai` is missing, or no address is given.
    """

    def __init__(
        self,
        base_url: str | None,
        api_key: str | None,
        request: Request,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._openai = require_extra("openai", "llm", "Asking a model")
        address = base_url or os.environ.get("API_BASE_URL") or os.environ.get("OPENAI_BASE_URL")
        if not address:
            mend = "Give --base-url, or set API_BASE_URL. Without a model: --model stand-in:base-stock."
            raise InvalidInput("base_url", base_url, "no endpoint is given", mend)
        if not address.startswith(("http://", "https://")):
            raise InvalidInput(
                "base_url", address, "this is no address", "Write for instance http://localhost:8000/v1."
            )
        key = api_key or next((os.environ[name] for name in KEYS if os.environ.get(name)), "none")
        self.base_url, self.request, self._wait = address, request, wait
        self._client = self._openai.OpenAI(base_url=address, api_key=key, timeout=request.timeout, max_retries=0)
        self._optional = {
            name: value
            for name, value in (
                ("temperature", request.temperature),
                ("seed", request.seed),
                ("max_tokens", request.max_tokens),
            )
            if value is not None
        }

    def ask(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = (), use: str = "auto"
    ) -> Reply:
        """The reply to a conversation.

        Raises:
            EndpointError: It says no, or does not answer however often it is asked.
        """
        began = time.monotonic()
        given: dict[str, Any] = {"tools": list(tools), "tool_choice": use} if tools else {}
        tries, pause = 0, 1.0
        while True:
            tries += 1
            optional = dict(self._optional)  # another episode may learn what the model does not take meanwhile
            try:
                found = self._client.chat.completions.create(
                    model=self.request.model, messages=list(messages), **optional, **given
                )
                return self._read(found, tries, time.monotonic() - began)
            except self._openai.APIStatusError as error:
                if error.status_code == 400 and self._does_without(error, optional):
                    tries -= 1
                    continue
                if not (error.status_code in PASSING or error.status_code >= 500):
                    raise self._refused(error) from None
                self._again(tries, f"it answers {error.status_code}{_said(error)}")
                asked_for = _seconds(error.response.headers.get("retry-after"))
            except self._openai.APITimeoutError:
                self._again(tries, f"no answer within {self.request.timeout:g} seconds")
                asked_for = None
            except self._openai.APIConnectionError as error:
                self._again(tries, f"it cannot be reached ({error.__cause__ or error})")
                asked_for = None
            except (self._openai.APIError, ValueError) as error:  # what came back is no JSON, or not what it should be
                raise self._strange(type(error).__name__) from None
            self._wait(min(pause if asked_for is None else asked_for, LONGEST_WAIT))
            pause *= 2.0

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _again(self, tries: int, what: str) -> None:
        """Go on only while there are tries left."""
        if tries >= self.request.tries:
            raise EndpointError(
                f"the endpoint {self.base_url} does not answer: {what}, {tries} times",
                "Check the address, or raise --timeout or --tries.",
            )

    def _does_without(self, error: Any, sent: Mapping[str, Any]) -> bool:
        """Leave out from now on what the model does not take, if it complains of something that was sent."""
        said = _said(error)
        if "max_tokens" in sent and "max_completion_tokens" in said:
            self._optional["max_completion_tokens"] = sent["max_tokens"]
            self._optional.pop("max_tokens", None)
            return True
        for name in sent:
            if name in said:
                self._optional.pop(name, None)
                return True
        return False

    def _refused(self, error: Any) -> EndpointError:
        mends = {
            401: "Give a key: set API_KEY or HF_TOKEN.",
            403: "This key may not use that model.",
            404: "Check --model and --base-url: the address usually ends in /v1.",
        }
        mend = mends.get(error.status_code, "See what it says.")
        return EndpointError(f"the endpoint {self.base_url} refuses ({error.status_code}{_said(error)})", mend)

    def _strange(self, what: str) -> EndpointError:
        problem = f"what {self.base_url} answers is no chat completion ({what})"
        return EndpointError(problem, "Check --base-url: the address usually ends in /v1.")

    def _read(self, found: Any, tries: int, seconds: float) -> Reply:
        try:
            choice, usage = found.choices[0], found.usage
            calls = tuple(
                Call(_clean(call.id), _clean(call.function.name), _clean(call.function.arguments or ""))
                for call in choice.message.tool_calls or ()
            )
            text = _clean(choice.message.content or "")
        except (AttributeError, IndexError, TypeError):
            raise self._strange(type(found).__name__) from None
        return Reply(
            text=text,
            calls=calls,
            tokens_in=int(getattr(usage, "prompt_tokens", 0) or 0),
            tokens_out=int(getattr(usage, "completion_tokens", 0) or 0),
            tries=tries,
            seconds=seconds,
            finish=str(choice.finish_reason or "stop"),
        )


def _clean(text: Any) -> str:
    """Text that can be sent back: half a surrogate pair, which a model may write, cannot."""
    if not isinstance(text, str):
        raise TypeError
    return text.encode("utf-8", "replace").decode("utf-8")


def _said(error: Any) -> str:
    """What an endpoint says beside its status, shortened."""
    body = error.body if isinstance(error.body, Mapping) else {}
    said = body.get("message") or (body.get("error") if isinstance(body.get("error"), str) else None)
    words = " ".join(str(said or "").split())
    return f": {words[:200]}" if words else ""


def _seconds(text: str | None) -> float | None:
    """The seconds that a header asks for; None where it names none."""
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:  # a date
        return None
