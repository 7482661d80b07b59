"""YAML is read once, by the fastest parser there is, and says the same as PyYAML's own."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from restock import InvalidInput, load_problem
from restock.core import reading
from tests.problems.network.test_bad_files import FILES, GOOD

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
DATA = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(DATA, st.sampled_from([None, True, False]))
def test_both_parsers_read_what_was_written(data: Any, flow: bool | None) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True)
    assert reading.parsed(text) == yaml.load(text, Loader=reading.PlainLoader) == yaml.safe_load(text)


@pytest.mark.parametrize("path", sorted(Path(reading.__file__).parents[1].rglob("*.yaml")), ids=lambda path: path.stem)
def test_both_parsers_read_what_is_shipped(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert reading.parsed(text) == yaml.safe_load(text)


def test_the_parser_of_libyaml_is_used_where_there_is_one() -> None:
    assert yaml.__with_libyaml__ == (reading.LOADER is not reading.PlainLoader)


def told(path: Path) -> tuple[str, str, str]:
    """How a file is refused."""
    with pytest.raises(InvalidInput) as found:
        reading.read_yaml(path)
    return found.value.field, str(found.value.value), found.value.problem


@pytest.mark.parametrize("case", [case for case in FILES if case[3] == "file"], ids=lambda case: str(case[0]))
def test_a_bad_file_is_refused_in_the_same_words_without_libyaml(
    case: tuple[str, Any, str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "network.yaml"
    path.write_bytes(case[1] if isinstance(case[1], bytes) else case[1].encode())
    fast = told(path)
    monkeypatch.setattr(reading, "LOADER", reading.PlainLoader)
    assert told(path) == fast


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000], ids=["lists", "mappings", "items"])
def test_what_is_nested_too_deeply_is_refused_and_ends_no_process(text: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text(text, encoding="utf-8")
    assert told(path)[2].startswith("this is nested too deeply")


def test_a_file_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(GOOD, encoding="utf-8")
    texts = []
    load = yaml.load
    monkeypatch.setattr(yaml, "load", lambda text, Loader: texts.append(text) or load(text, Loader))  # type: ignore[func-returns-value]
    for times in (1, 2):
        load_problem(path)
        assert texts == [GOOD] * times


def test_what_is_kept_for_the_next_look_is_that_of_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "data.yaml"
    path.write_text("a: [1]", encoding="utf-8")
    first = reading.read_yaml(path, keep=True)
    first["a"].append(2)
    path.write_text("a: [3]", encoding="utf-8")
    assert reading.read_yaml(path) == {"a": [3]}
    path.write_text("a: [1]", encoding="utf-8")
    second, third = reading.read_yaml(path, keep=True), reading.read_yaml(path)
    assert second == third == {"a": [1]}
    assert reading.read_yaml(path) is not third


# files without end, and pipes ---------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there are no devices here")
def test_a_device_without_end_is_refused(tmp_path: Path) -> None:
    """It was read until the memory was full."""
    link = tmp_path / "network.yaml"
    link.symlink_to("/dev/zero")
    for path in (Path("/dev/zero"), Path("/dev/urandom"), link):
        assert told(path) == ("file", str(path), "must be a file or a pipe, not a device")
    with pytest.raises(InvalidInput, match="not a device"):
        load_problem("/dev/zero")
    assert told(Path("/dev/null"))[2] == "the file is empty"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    with path.open("wb") as file:
        file.truncate(reading.MOST_YAML + 1)
    assert told(path)[2] == "must have at most 33,554,432 bytes"
    path.write_bytes(b"1234567")
    assert reading.read_text(path, "file", "CSV", 7) == "1234567"
    with pytest.raises(InvalidInput, match="must have at most 6 bytes") as found:
        reading.read_text(path, "series", "CSV", 6)
    assert found.value.field == "series" and "CSV" in found.value.mend


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name here")
def test_pipes_are_read_to_their_end_and_ends_of_lines_are_alike(tmp_path: Path) -> None:
    path, text = tmp_path / "pipe", b"\xef\xbb\xbfname: a\r\nb: c\rd: e\n" + b"# more\n" * 100_000
    os.mkfifo(path)
    writing = threading.Thread(target=lambda: path.write_bytes(text))
    writing.start()
    found = reading.read_text(path, "file", "YAML")
    writing.join()
    assert found.startswith("name: a\nb: c\nd: e\n# more\n") and found.count("\n") == 100_003
    with pytest.raises(InvalidInput, match="must have at most 10 bytes"):
        writing = threading.Thread(target=lambda: path.write_bytes(b"x" * 100))
        writing.start()
        reading.read_text(path, "file", "YAML", 10)
    writing.join()
