"""The page of the families of problems, from their manifests; those of installed packages too."""

from __future__ import annotations

from restock.problems.load import shelf_of
from restock.problems.manifest import known

HEAD = """Families of problems
====================

What each family says of itself, in its ``restock.problems.NAME.family``.
"""


def page() -> str:
    """Return the page, in reStructuredText."""
    lines = [HEAD]
    for name, said in known().items():
        title = said.title or name
        lines += [title, "-" * len(title), "", said.words, ""]
        rows = {
            "Ids": (said.id, *said.also),
            "Instances": shelf_of(name).names(),
            "Policies": tuple(said.policies),
            "Usual comparison": said.usual,
            "Policy to beat": (said.to_beat,),
            "Bound": (said.bound,) if said.bound else (),
        }
        lines += [f":{what}: {', '.join(f'``{one}``' for one in values)}" for what, values in rows.items() if values]
        lines.append("")
    return "\n".join(lines)
