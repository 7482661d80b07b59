"""Import of Jinja2 for the modules that fill in templates; without it, the import says what to install."""

from __future__ import annotations

from restock.core.errors import require_extra

require_extra("jinja2", "server", "the pages of the server")

from jinja2 import Environment as Environment  # noqa: E402
from jinja2 import PackageLoader as PackageLoader  # noqa: E402
from jinja2 import StrictUndefined as StrictUndefined  # noqa: E402
