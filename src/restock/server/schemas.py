"""JSON schemas of records, made once: that takes milliseconds, which is most of a reply that tells one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pydantic

MOST = 512  # records that are remembered


@lru_cache(MOST)
def schema_of(record: type[pydantic.BaseModel]) -> dict[str, Any]:
    """Return the schema of a record, to be read and not changed."""
    return record.model_json_schema()
