"""The command line with stores."""

from __future__ import annotations

import pytest

from restock.policies.registry import list_policies
from tests.cli.running import run


def test_list_and_show_know_the_store() -> None:
    listed = run("list", "--json", "--quiet").out
    assert '"restock/Retail-v0"' in listed
    for name in ("retail-easy", "retail-medium", "retail-hard", *list_policies("retail")):
        assert f'"{name}"' in listed
    shown = run("show", "restock/Retail-v0", "--json", "--quiet")
    assert shown.code == 0 and shown.document["name"] == "retail-medium" and len(shown.document["products"]) == 5
    words = run("show", "retail-hard").out
    assert "black_friday on days 4 and 5" in words and "Ways of delivery" in words
    assert run("show", "retail-hard", "--yaml").out.startswith("problem: retail\n")


def test_simulate_and_compare() -> None:
    one = run("simulate", "retail-easy", "passive", "-n", "2", "--json", "--quiet")
    assert one.code == 0 and '"earned"' in one.out and "2200.0" in one.out
    both = run("compare", "retail-easy", "passive", "price-and-cover", "-n", "3", "--json", "--quiet")
    assert both.code == 0 and '"hindsight"' in both.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "retail-eazy"), "retail-easy"),
        (("simulate", "retail-easy", "base-stock"), "network"),
        (("simulate", "retail-easy", "price-and-cover:price=high"), "price"),
        (("simulate", "retail-easy", "restock-to-target:delivery=rocket"), "delivery"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_bad_input_is_told(arguments: tuple[str, ...], said: str) -> None:
    ran = run(*arguments, "--quiet")
    assert ran.code == 2 and said in ran.err
