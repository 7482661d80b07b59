"""What begins with an underscore belongs to its own module: no other one reads it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.shared_material import REPOSITORY

PACKAGE = REPOSITORY / "src" / "restock"
SOURCES = sorted(PACKAGE.rglob("*.py"))
ITSELF = ("self", "cls", "super()")
OF_TUPLES = ("_fields", "_asdict", "_replace", "_make", "_field_defaults")  # public names of every named tuple
# Private names of other packages, where there is no public way to what is needed.
OF_OTHERS = {
    "core/workers.py": {"_exit"},
    "core/backends.py": {"_cache"},
    "core/kernel_cache.py": {"_cache"},
    "core/numba_views.py": {"_getvalue"},
    "envs/wrappers/demand_randomisation.py": {"_add_info"},  # Gymnasium's, for classes derived from its vector ones
    "learning/sb3_training.py": {  # what stable-baselines3 keeps between two calls of `learn`
        "_current_progress_remaining",
        "_get_torch_save_params",
        "_last_episode_starts",
        "_last_lstm_states",
        "_last_obs",
        "_last_original_obs",
    },
}


def private_reads(source: str, names: set[str]) -> set[str]:
    """Return the private names that a module reads of something that it does not define itself.

    Args:
        source: Of the module.
        names: Of modules, as an import statement writes them.
    """
    tree = ast.parse(source)
    own = {
        node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) in ITSELF:
            own.add(node.attr)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("restock"):
            found |= {one.name for one in node.names if one.name.startswith("_") and not one.name.startswith("__")
                      and f"{node.module}.{one.name}" not in names}  # fmt: skip
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            if not (ast.unparse(node.value) in ITSELF or node.attr in own or node.attr in OF_TUPLES):
                found.add(node.attr)
    return found


def module_name(path: Path) -> str:
    """Return the name of a module of the package."""
    return ".".join(("restock", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


MODULES = {module_name(path) for path in SOURCES}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_private_name_of_another_module_is_read(source: Path) -> None:
    allowed = OF_OTHERS.get(source.relative_to(PACKAGE).as_posix(), set())
    assert private_reads(source.read_text(encoding="utf-8"), MODULES) <= allowed


def test_a_private_read_is_noticed() -> None:
    source = (
        "from restock.a import _b\nfrom restock.policies import _base\nclass C:\n  def f(self):\n    return self.x._y\n"
    )
    assert private_reads(source, {"restock.policies._base"}) == {"_b", "_y"}
    assert private_reads("class C:\n  def f(self):\n    self._y = 1\n    return other._y\n", set()) == set()
