"""Import of FastAPI for modules that define routes; without it, the import says what to install."""

from __future__ import annotations

from restock.core.errors import require_extra

require_extra("fastapi", "server", "the server")

from fastapi import APIRouter as APIRouter  # noqa: E402
from fastapi import FastAPI as FastAPI  # noqa: E402
from fastapi import Path as Path  # noqa: E402
from fastapi import Query as Query  # noqa: E402
from fastapi import Request as Request  # noqa: E402
from fastapi import WebSocket as WebSocket  # noqa: E402
from fastapi.exceptions import RequestValidationError as RequestValidationError  # noqa: E402
from fastapi.responses import HTMLResponse as HTMLResponse  # noqa: E402
from fastapi.responses import JSONResponse as JSONResponse  # noqa: E402
from fastapi.responses import Response as Response  # noqa: E402
from fastapi.routing import APIRoute as APIRoute  # noqa: E402
from starlette.exceptions import HTTPException as HTTPException  # noqa: E402
from starlette.routing import Match as Match  # noqa: E402
