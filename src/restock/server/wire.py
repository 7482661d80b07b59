"""Records on the wire: JSON, in the form of OpenEnv."""

from __future__ import annotations

import json
from typing import Any

import pydantic_core

from restock.core.reading import once
from restock.envs.structured import StructuredEnvironment
from restock.server.errors import Refused

BESIDE = ("reward", "done")  # of an observation: what OpenEnv sends beside it
MOST_SHOWN = 120  # characters of an error of the JSON parser


def dumps(data: Any) -> str:
    """Return JSON; numbers that JSON lacks are written as text, and text that is not Unicode is escaped."""
    try:
        return pydantic_core.to_json(data, inf_nan_mode="strings").decode()
    except Exception:  # half a surrogate pair, which a client can send, and which is to be sent back
        return json.dumps(json.loads(json.dumps(data, default=str), parse_constant=str))


def loads(text: str | bytes) -> Any:
    """Parse what a client sent.

    Raises:
        Refused: It is no JSON, or a name is given twice in one object.
    """
    try:
        return json.loads(text, object_pairs_hook=once)
    except RecursionError:
        raise Refused("INVALID_JSON", "Invalid JSON: this is nested too deeply") from None
    except ValueError as error:  # also a name given twice, a number of too many digits, and bytes that are no text
        raise Refused("INVALID_JSON", f"Invalid JSON: {str(error)[:MOST_SHOWN]}") from None


def reply(env: StructuredEnvironment) -> dict[str, Any]:
    """Return an observation as OpenEnv sends it: with reward and done beside it."""
    played = env.played
    seen, metadata = env.records.observation(played), env.records.metadata(played)
    data = {"metadata": metadata, **seen.__dict__}
    told = {**{name: data.pop(name) for name in BESIDE}, "observation": data}
    return {**told, "metadata": metadata} if metadata else told
