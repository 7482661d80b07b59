"""Where text or a file becomes code: who adds a place to this list says why a file that was sent cannot lead there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "restock"
IMPORTS = {"import_module", "spec_from_file_location", "exec_module", "__import__", "exec", "unsafe_load", "full_load"}
PICKLES = {"pickle", "cloudpickle", "dill", "joblib"}
SAFE = {"weights_only": True, "allow_pickle": False}  # without these, torch and NumPy unpickle
KNOWN = {
    "__init__.py": "names of restock itself",
    "agents/__init__.py": "names of its own modules",
    "conformance/suite.py": "its own environment, which it has just pickled",
    "core/errors.py": "optional packages, by names in the code",
    "core/generated.py": "a text made of the names of fields and parameters, which are Python's own",
    "core/holding.py": "a module of Windows",
    "core/places.py": "what a user names; of a file see core/trust.py",
    "envs/fast/info.py": "a text made of the names of fields, which are checked",
    "learning/unpickling.py": "of torch and stable-baselines3, after its own check",
    "policies/registry.py": "policies of restock",
    "problems/manifest.py": "what the family.py of restock and of installed packages name",
    "server/dashboard/packing.py": "what it has packed itself and never left the process",
}


def ways(tree: ast.AST) -> Iterator[str]:
    """What makes code of text in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in PICKLES:
            if node.attr in ("load", "loads", "Unpickler"):
                yield f"{node.value.id}.{node.attr}"
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        home = getattr(node.func.value, "id", "") if isinstance(node.func, ast.Attribute) else ""
        given = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
        if name in IMPORTS or (name == "eval" and isinstance(node.func, ast.Name)):
            yield name
        elif name == "load" and home in ("torch", "np") and not any(given.get(word) is SAFE[word] for word in SAFE):
            yield f"{home}.load"


def test_text_becomes_code_in_few_places() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(ways(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == set(KNOWN)
