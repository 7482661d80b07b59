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

OPTIONAL = {"matplotlib", "plotly", "PIL", "polars", "torch", "stable_baselines3", "scipy", "pandas", "moviepy"}
MODULES = sorted(found.name for found in pkgutil.walk_packages(restock.__path__, "restock."))


def loaded_by(code: str) -> set[str]:
    """Top-level packages in a fresh interpreter after the code."""
    ask = f"import json, sys\n{code}\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    where = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run([sys.executable, "-c", ask], env=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_restock_loads_nothing_heavy():
    heavy = OPTIONAL | {"numba", "llvmlite", "highspy", "cma", "networkx", "pydantic", "typer", "rich"}
    assert not loaded_by("import restock") & heavy


def test_ids_are_registered_by_the_import_alone():
    code = "import restock, gymnasium\nassert {'restock/Network-v0', 'restock/Divergent-v0', 'restock/Serial-v0'} <= "
    loaded_by(code + "set(gymnasium.registry)")


def test_no_module_needs_an_extra_to_be_imported():
    """`pip install restock` without extras must be able to import every module."""
    away = f"sys.modules.update(dict.fromkeys({sorted(OPTIONAL)!r}))"  # None there: the import fails
    lines = "\n".join(f"import {module}" for module in MODULES if not module.endswith("__main__"))
    assert len(MODULES) > 40
    assert "restock" in loaded_by(f"{away}\n{lines}")


@pytest.mark.parametrize("name", restock.__all__)
def test_every_public_name_is_there(name):
    assert getattr(restock, name) is not None
    assert name in dir(restock)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        restock.simulat  # noqa: B018
