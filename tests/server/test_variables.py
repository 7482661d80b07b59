"""Settings from the environment of the process: an error names the variable."""

from __future__ import annotations

import pytest

from restock.core.errors import InvalidInput
from restock.server.openenv.server.app import settings
from restock.server.run import hosts_of_environment, token_of_environment

HOSTS = ("RESTOCK_ALLOW_HOST", "SPACE_HOST")
VARIABLES = ("RESTOCK_TASK", "RESTOCK_REWARD", "RESTOCK_TOKEN", "RESTOCK_MAX_SESSIONS", *HOSTS)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RESTOCK_TOKEN", ""), ("RESTOCK_TOKEN", "ü"), ("RESTOCK_TASK", ""), ("RESTOCK_TASK", "esay"),
        ("RESTOCK_REWARD", ""), ("RESTOCK_REWARD", "money"), ("RESTOCK_MAX_SESSIONS", ""),
        ("RESTOCK_MAX_SESSIONS", "0"), ("RESTOCK_MAX_SESSIONS", "many"), ("RESTOCK_MAX_SESSIONS", "1000001"),
    ],
)  # fmt: skip
def test_an_error_names_the_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput) as told:
        settings()
    assert told.value.field == name and str(told.value).startswith(f"{name} = ")
    assert "ü" not in str(told.value)


@pytest.mark.parametrize("name", HOSTS)
def test_so_does_one_about_a_host(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "good.example, http://bad")
    with pytest.raises(InvalidInput, match=f"^{name} = 'http://bad'"):
        hosts_of_environment(["other.example"])
    monkeypatch.setenv(name, "good.example,better.example")
    assert hosts_of_environment(["other.example"]) == ["other.example", "good.example", "better.example"]


def test_what_is_given_stands_before_what_is_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTOCK_TOKEN", "")
    assert token_of_environment("given") == "given"
    monkeypatch.setenv("RESTOCK_TOKEN", "sesame")
    assert (token_of_environment(None), settings().token) == ("sesame", "sesame")
