"""What an import of restock, or of any of its modules, loads."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys

import pytest

import restock
from tests.shared_material import REPOSITORY

OPTIONAL = {
    "matplotlib",
    "plotly",
    "PIL",
    "polars",
    "torch",
    "stable_baselines3",
    "scipy",
    "pandas",
    "moviepy",
    "optuna",
    "fastapi",
    "starlette",
    "uvicorn",
    "websockets",
    "openenv",
    "openai",
    "httpx",
}
CLASSES_OF_TORCH = {
    f"restock.learning.{name}"
    for name in (
        "needs_torch",
        "needs_sb3",
        "networks",
        "graph",
        "memory",
        "actors",
        "agents",
        "pathwise",
        "rows",
        "network_rows",
        "sb3",
        "sb3_callback",
    )
}
# Routes and what runs them; classes of openenv.
CLASSES_OF_SERVERS = {
    f"restock.server.{name}"
    for name in (
        "needs_server",
        "needs_uvicorn",
        "protocols",
        "alive",
        "app",
        "replies",
        "requests",
        "routes",
        "session_routes",
        "source_routes",
        "sockets",
        "web",
        "dashboard.pages",
        "dashboard.room",
        "dashboard.routes",
        "dashboard.picking",
        "dashboard.playing",
        "dashboard.watching",
        "dashboard.comparing",
        "dashboard.again",
        "dashboard.downloads",
        "dashboard.live",
        "dashboard.runs",
        "dashboard.standing",
        "openenv.needs_openenv",
        "openenv.models",
        "openenv.environment",
        "openenv.client",
        "openenv.space",
        "openenv.space.client",
        "openenv.space.models",
        "openenv.space.server",
        "openenv.space.server.app",
    )
}
MODULES = sorted(found.name for found in pkgutil.walk_packages(restock.__path__, "restock."))


def loaded_by(code: str) -> set[str]:
    """Top-level packages in a fresh interpreter after the code."""
    ask = f"import json, sys\n{code}\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    where = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run([sys.executable, "-c", ask], env=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_restock_loads_nothing_heavy():
    heavy = OPTIONAL | {"numba", "llvmlite", "highspy", "cma", "networkx", "pydantic", "typer", "rich", "jinja2"}
    assert not loaded_by("import restock") & heavy


def test_ids_are_registered_by_the_import_alone():
    code = "import restock, gymnasium\nassert {'restock/Network-v0', 'restock/Divergent-v0', 'restock/Serial-v0'} <= "
    loaded_by(code + "set(gymnasium.registry)")


def test_no_module_needs_an_extra_to_be_imported():
    """`pip install restock` without extras can import every module.

    Those that define classes of torch, stable-baselines3 or openenv, or routes of FastAPI, cannot be there without
    it: they say which command installs it, and nothing else may import them on its way.
    """
    away = f"sys.modules.update(dict.fromkeys({sorted(OPTIONAL)!r}))"  # None there: the import fails
    names = [module for module in MODULES if not module.endswith("__main__")]
    code = f"""
{away}
from importlib import import_module
from restock.core.errors import InvalidInput
told = []
for name in {names!r}:
    try:
        import_module(name)
    except InvalidInput as error:
        assert "pip install" in error.mend, error
        told.append(name)
print(chr(10).join(told), file=sys.stderr)
assert set(told) <= set({sorted(CLASSES_OF_TORCH | CLASSES_OF_SERVERS)!r}), told
"""
    assert len(MODULES) > 40
    assert "restock" in loaded_by(code)


@pytest.mark.parametrize("name", restock.__all__)
def test_every_public_name_is_there(name):
    assert getattr(restock, name) is not None
    assert name in dir(restock)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        restock.simulat  # noqa: B018
