"""YAML and CSV files that do not hold, and instances that do not exist."""

from __future__ import annotations

import re
from pathlib import Path

import gymnasium as gym
import pytest

from restock import InvalidInput, load_problem
from tests.problems.network.networks import small
from tests.problems.network.refusal import refused, shortened

GOOD = """\
nodes: [{id: 1, initial_inventory: 10, holding_cost: 0.5}, {id: 3}]
links: [{from: 3, to: 1, lead_time: 1, price: 1}]
markets: [{from: 1, to: 0, price: 2, shortage_cost: 1}]
"""
LAUGHS = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{chr(98 + k)}: &{chr(98 + k)} [{','.join(['*' + chr(97 + k)] * 10)}]\n" for k in range(12)
)
FILES: list[tuple[str, str | bytes, str, str, str]] = [  # (name, text, place in the file, field, problem)
    ("empty", "", "", "file", "empty"),
    ("only a comment", "# nothing\n", "", "file", "empty"),
    ("null", "null\n", "", "file", "empty"),
    ("a list", "- 1\n- 2\n", "", "file", "mapping"),
    ("one word", "hello\n", "", "file", "mapping"),
    ("key twice", GOOD + "horizon: 3\nhorizon: 4\n", ":5:1", "file", "'horizon' is given twice"),
    ("key twice inside", GOOD.replace("id: 3", "id: 3, id: 4"), ":1:68", "file", "'id' is given twice"),
    ("tab", "nodes:\n\t- a\n", ":2:1", "file", "not valid YAML"),
    ("unclosed", "nodes: [1, 2", ":1:13", "file", "not valid YAML"),
    ("two colons", "a: b: c\n", ":1:5", "file", "not valid YAML"),
    ("not UTF-8", b"name: caf\xe9\n", "", "file", "not UTF-8"),
    ("UTF-16", GOOD.encode("utf-16"), "", "file", "not UTF-8"),
    ("zero byte", "name: a\0b\n", "", "file", "not valid YAML"),
    ("undefined alias", GOOD + "demand: {mean: *z}\n", ":4:16", "file", "undefined alias"),
    ("billion laughs", LAUGHS + "nodes: *m\n", "", "FILE", "more than 1000000 values"),
    ("contains itself", "nodes: &a [*a]\nlinks: []\nmarkets: []\n", "", "FILE", "contains itself"),
    ("top contains itself", "&a\nnodes: *a\n", "", "FILE", "contains itself"),
    ("deep", "a: " + "[" * 3000 + "]" * 3000, "", "file", "nested too deeply"),
    ("runs Python", "name: !!python/object/apply:os.system ['true']\n", ":1:7", "file", "not valid YAML"),
    ("own tag", "name: !foo bar\n", ":1:7", "file", "not valid YAML"),
    ("two documents", GOOD + "---\n" + GOOD, ":4:1", "file", "not valid YAML"),
    ("impossible date", "name: 2020-13-45\n", "", "file", "month must be in 1..12"),
    ("date for text", GOOD + "name: 2020-01-01\n", "", "FILE: name", "text"),
    ("number for a key", "1: 2\n", "", "FILE: 1", "text"),
    ("list for a key", "? [1, 2]\n: 3\n", ":1:3", "file", "unhashable key"),
    ("bad merge", "<<: 3\n", ":1:5", "file", "not valid YAML"),
    ("huge whole number", GOOD + "horizon: " + "9" * 5000 + "\n", "", "file", "not valid YAML"),
    ("no for an id", GOOD.replace("3", "no"), "", "FILE: nodes[1].id", "integer or text"),
    ("infinite", GOOD.replace("price: 1", "price: .inf"), "", "FILE: links[0].price", "finite"),
    ("not a number", GOOD.replace("price: 1", "price: .nan"), "", "FILE: links[0].price", "finite"),
    ("1e-3 is text", GOOD.replace("price: 1", "price: 1e-3"), "", "FILE: links[0].price", "a number"),
    ("wrong field", GOOD + "horizn: 4\n", "", "FILE: horizn", "no such field"),
    ("bad demand", GOOD + "demand: {series: [1, 2]}\n", "", "FILE: demand.series", "shorter than the horizon"),
]


@pytest.mark.parametrize(("name", "text", "place", "field", "problem"), FILES, ids=[case[0] for case in FILES])
def test_yaml_file(name, text, place, field, problem, tmp_path):
    path = tmp_path / "network.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    value = f"{path}{place}" if field == "file" else None
    error = refused(lambda: load_problem(path), field.replace("FILE", "network.yaml"), None, problem)
    assert value is None or error.value == value
    with pytest.raises(InvalidInput, match=re.escape(error.problem)):
        gym.make("restock/Network-v0", instance=str(path))


def test_a_good_file_loads_with_and_without_a_byte_order_mark(tmp_path):
    path = tmp_path / "network.yaml"
    for mark in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(mark + GOOD.encode())
        assert load_problem(path).links == ((3, 1),)


@pytest.mark.parametrize(
    ("given", "field", "problem"),
    [
        ("none.yaml", "file", "no such file"),
        ("a/b", "file", "no such file"),
        ("a\0.yaml", "file", "null byte"),
        ("x" * 5000 + ".yaml", "file", "cannot be read"),
        ("/dev/null/x.yaml", "file", "cannot be read"),
        ("", "instance", "no such network"),
        ("serail", "instance", "no such network"),
        ("Serial", "instance", "no such network"),
        ("nothing like it", "instance", "no such network"),
        ("restock/Serial-v9", "id", "no such environment"),
        (3, "instance", "a name, a path"),
        (None, "instance", "a name, a path"),
        ([1], "instance", "a name, a path"),
        (b"serial", "instance", "a name, a path"),
        ({}, "network.nodes", "required"),
        ({"a": 1}, "network.a", "no such field"),
    ],
    ids=shortened,
)
def test_no_such_instance(given, field, problem):
    refused(lambda: load_problem(given), field, None, problem)


def test_a_folder_is_refused(tmp_path):
    refused(lambda: load_problem(tmp_path), "file", tmp_path.name, "a folder")


CSVS: list[tuple[str, str | bytes, str, str, str]] = [  # (name, text, field, value, problem)
    ("empty", "", "demand.series.file", "sales.csv", "empty"),
    ("header only", "day,sold\n", "demand.series.file", "sales.csv", "no rows"),
    ("other columns", "day,sales\n1,2\n", "demand.series.column", "'sold'", "no such column"),
    ("semicolons", "day;sold\n1;2\n", "demand.series.column", "'sold'", "no such column"),
    ("column twice", "sold,sold\n1,2\n", "demand.series.column", "'sold'", "twice"),
    ("text", "sold\n1\nmany\n", "sales.csv:3", "'many'", "no demand here"),
    ("blank cell", "day,sold\n1,\n", "sales.csv:2", "''", "no demand here"),
    ("short row", "day,sold\n1,2\n3\n", "sales.csv:3", "'3'", "1 cells, the header 2"),
    ("decimal comma", "sold\n3,5\n", "sales.csv:2", "'3,5'", "2 cells, the header 1"),
    ("nan", "sold\nnan\n", "sales.csv:2", "'nan'", "no demand here"),
    ("infinite", "sold\ninf\n", "sales.csv:2", "'inf'", "no demand here"),
    ("negative", "sold\n-1\n", "sales.csv:2", "'-1'", "no demand here"),
    ("too large", "sold\n1e300\n", "sales.csv:2", "'1e300'", "no demand here"),
    ("underscore", "sold\n1_0\n", "sales.csv:2", "'1_0'", "no demand here"),
    ("quotes", 'sold\n"1"2\n', "demand.series.file", "sales.csv", "not CSV"),
    ("unclosed quotes", 'sold\n"1\n', "demand.series.file", "sales.csv", "not CSV"),
    ("not UTF-8", b"sold\n\xff\n", "demand.series.file", "sales.csv", "not UTF-8"),
    ("too few rows", "sold\n1\n2\n", "demand.series", "2 of 6 periods", "shorter"),
]


@pytest.mark.parametrize(("name", "text", "field", "value", "problem"), CSVS, ids=[case[0] for case in CSVS])
def test_csv_file(name, text, field, value, problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sales.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    demand = {"series": {"file": "sales.csv", "column": "sold"}}
    refused(lambda: load_problem(small(), demand=demand), field, value, problem)
    inside = f"network.{field}" if field.startswith("demand") else field
    refused(lambda: load_problem(small(demand=demand)), inside, value, problem)


def test_a_scale_that_takes_a_csv_out_of_range_is_refused(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("sold\n1e12\n")
    demand = {"series": {"file": str(path), "column": "sold", "scale": 10}}
    refused(lambda: load_problem(small(), demand=demand), "demand.series[0]", "10000000000000.0", "at most 1e+12")
