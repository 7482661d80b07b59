"""How records go over the wire: JSON in ASCII, in the form of OpenEnv."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from restock.envs.structured import StructuredEnvironment
from restock.server.errors import Refused

MOST_SHOWN = 120  # characters of an error of the JSON parser


def dumps(data: Any) -> str:
    """JSON in ASCII, so that no text a client sends can fail to be sent back."""
    try:
        return json.dumps(data, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_finite(data), separators=(",", ":"), allow_nan=False)


def _finite(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    return data


def loads(text: str | bytes) -> Any:
    """What a client sent.

    Raises:
        Refused: It is no JSON.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise Refused("INVALID_JSON", "Invalid JSON: this is nested too deeply") from None
    except ValueError as error:  # also a number of too many digits, and bytes that are no text
        raise Refused("INVALID_JSON", f"Invalid JSON: {str(error)[:MOST_SHOWN]}") from None


def reply(env: StructuredEnvironment) -> dict[str, Any]:
    """An observation as OpenEnv sends it: reward and done beside it, what else is told in it and beside it."""
    seen = env.observe()
    metadata = env.records.metadata(env.played)
    data = seen.model_dump(mode="json", exclude={"reward", "done"})
    told = {"observation": {"metadata": metadata, **data}, "reward": seen.reward, "done": seen.done}
    return {**told, "metadata": metadata} if metadata else told
