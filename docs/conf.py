"""How the documentation is built: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "src")]

import restock  # noqa: E402

project = "restock"
author = "the restock authors"
copyright = author
version = release = restock.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    # Beside this file, in _ext:
    "mathml",
    "policy_pages",
    "reference",
    "leaderboard",
]
exclude_patterns = ["_build", "_generated", "reference/generated/fields"]
default_role = "py:obj"  # `Trajectory` in a docstring is a link where there is such a thing
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "member-order": "bysource"}
# Not needed to read about what uses them.
autodoc_mock_imports = [
    "torch",
    "stable_baselines3",
    "sb3_contrib",
    "optuna",
    "polars",
    "pytest",
    "fastapi",
    "starlette",
    "uvicorn",
    "websockets",
]
autodoc_typehints = "signature"
autodoc_type_aliases = {"Array": "Array"}
autoclass_content = "class"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_maximum_signature_line_length = 88
add_module_names = False

html_theme = "furo"
html_title = f"restock {release}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["restock.css"]
html_copy_source = False
html_show_sourcelink = False
