"""The template of a problem folder, under a name of your own."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("_template")
SUFFIXES = (".py", ".yaml", ".md")


def texts(name: str) -> dict[str, str]:
    """Return the files of a problem folder by their paths in it.

    Args:
        name: Of the problem, small letters and digits with - or _ between words.

    Example:
        >>> sorted(texts("corner-shop"))[:2], "class CornerShopProblem(Problem)" in texts("corner-shop")["problem.py"]
        (['README.md', 'dynamics.py'], True)
    """
    words = name.replace("-", "_").split("_")
    camel = "".join(word.capitalize() for word in words)
    stands_for = {"own-problem": name, "own_problem": "_".join(words), "OwnProblem": f"{camel}Problem"}
    stands_for |= {"TestOwnProblem": f"Test{camel}", "OwnSpec": f"{camel}Spec"}
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        # `__init__.py` makes the template a part of restock; outside, a folder is loaded by its path.
        if path.suffix in SUFFIXES and path.name != "__init__.py":
            inside = path.relative_to(FOLDER).as_posix()
            found[_renamed(inside, stands_for)] = _renamed(path.read_text(encoding="utf-8"), stands_for)
    return found


def _renamed(text: str, stands_for: dict[str, str]) -> str:
    for word in sorted(stands_for, key=len, reverse=True):
        text = text.replace(word, stands_for[word])
    return text
