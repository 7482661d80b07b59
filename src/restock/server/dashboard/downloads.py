"""Downloads: a page's data as a file, with `?format=csv` or `?format=json` at its address."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from restock.core.plain import plain
from restock.report.documents import as_csv
from restock.server import wire
from restock.server.errors import Refused
from restock.server.needs_server import Request, Response

FORMS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def form_of(request: Request) -> str | None:
    """Return the format that a request asks for; None for the page itself.

    Raises:
        Refused: There is no such form.
    """
    said = request.query_params.get("format")
    if said is not None and said not in FORMS:
        message = f"format must be csv or json, got {said[:40]!r}"
        raise Refused("VALIDATION_ERROR", message, "format", said[:40])
    return said


def taken_away(
    form: str, name: str, data: Callable[[], Any], rows: Callable[[], Sequence[Mapping[str, Any]]]
) -> Response:
    """Return the data as a file.

    Args:
        form: One of `FORMS`.
        name: Of the file, without its ending.
        data: What JSON tells.
        rows: What CSV tells.
    """
    text = as_csv(rows()) if form == "csv" else wire.dumps(plain(data()))
    safe = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.")[:80] or "restock"
    headers = {
        "content-disposition": f'attachment; filename="{safe}.{form}"',
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    return Response(text.encode("utf-8", "replace"), media_type=FORMS[form], headers=headers)
