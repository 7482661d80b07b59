"""Which names in data are names of code, and who may follow them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from restock.core.errors import InvalidInput
from restock.core.places import module_at
from restock.core.trust import may_trust, refuse_code, trusted, trusting


def refused(data: Any, file: str = "data.yaml") -> str | None:
    """The field that is refused; None where nothing is."""
    try:
        refuse_code(data, file)
    except InvalidInput as error:
        return error.field
    return None


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a file and a problem folder in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text("class Mine: ...\n", encoding="utf-8")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "load.py").write_text("", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ("own.py:Mine", "data.yaml"),
        ({"a": [1, {"b": "gone.py:Mine"}]}, "data.yaml: a[1].b"),
        ({"a": "own:Mine"}, "data.yaml: a"),
        ({"a": "json.decoder:JSONDecoder"}, "data.yaml: a"),
        ({"a": "__main__:Mine"}, "data.yaml: a"),
        ({"a": "prefix:own.py:Mine"}, "data.yaml: a"),
        ({"a": "prefix:own:Mine"}, "data.yaml: a"),
        ({"a": "restock.learning.adapted:Adapted"}, "data.yaml: a"),
        ({"a": "restock.policies./../own.py:Mine"}, "data.yaml: a"),
        ({"place": "shop"}, "data.yaml: place"),
        ({"scenarios": [{"instance": "./shop/"}]}, "data.yaml: scenarios[0].instance"),
    ],
)
def test_names_of_code_are_found(data: Any, field: str) -> None:
    assert refused(data) == field


@pytest.mark.parametrize(
    "text",
    ["base-stock", "plant:east", "a note: of two words", "restock.policies.base_stock:BaseStock", "shop", "12:30", ""],
)
def test_other_words_are_words(text: str) -> None:
    assert refused({"a": text, "nodes": [text, 1.0, None, True]}) is None


def test_paths_are_looked_for_beside_the_file_too(here: Path) -> None:
    (here / "dl").mkdir()
    (here / "shop").rename(here / "dl" / "shop")
    assert refused({"place": "shop"}) is None
    assert refused({"place": "shop"}, "dl/data.yaml") == "dl/data.yaml: place"


def test_what_has_run_may_be_named_but_not_its_namesake(here: Path) -> None:
    module_at("own.py:Mine", "policy")
    assert refused({"a": "own.py:Mine"}) is None and refused({"a": f"{here}/own.py:Mine"}) is None
    (here / "dl").mkdir()
    (here / "dl" / "own.py").write_text("class Mine: ...  # another\n", encoding="utf-8")
    assert refused({"a": "own.py:Mine"}, "dl/data.yaml") == "dl/data.yaml: a"
    (here / "own.py").write_text("class Mine: ...  # edited\n", encoding="utf-8")
    assert refused({"a": "own.py:Mine"}) == "data.yaml: a"


def test_what_reads_pickles_is_not_harmless_because_it_is_loaded() -> None:
    import restock.learning.adapted

    assert refused({"a": f"{restock.learning.adapted.__name__}:Adapted"}) == "data.yaml: a"


def test_an_alias_is_followed_once() -> None:
    data: list[Any] = ["x"]
    for _ in range(60):
        data = [data] * 10
    data.append(data)
    assert refused(data) is None


def test_trust_ends_with_its_block_and_is_not_inherited() -> None:
    with trusting():
        assert refused({"a": "own.py:Mine"}) is None
        with trusting(False):
            assert trusted()
        found: list[bool] = []
        thread = threading.Thread(target=lambda: found.append(trusted()))
        thread.start()
        thread.join()
        assert found == [False]
    assert not trusted()


def test_a_function_trusts_for_as_long_as_it_runs() -> None:
    @may_trust
    def asks(*, trust: bool = False) -> bool:
        return trusted()

    assert asks(trust=True) and not asks() and not asks(trust="yes")  # type: ignore[arg-type]
    assert not trusted()
