"""Forms as browsers send them, and as nobody should: what is read costs no more than it is long."""

from __future__ import annotations

import httpx
import pytest

from restock.server.dashboard import bodies
from restock.server.errors import Refused
from tests.server.serving import serving

KIND = "multipart/form-data; boundary=b"


def sent(*parts: bytes, kind: str = KIND) -> bodies.Sent:
    return bodies.read(b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n", kind)


def test_a_form_with_a_file_is_read_as_it_was_written() -> None:
    text = "a line\r\n--b is no end\r\n\u00fc \U0001f680\n\n"
    request = httpx.Request(
        "POST", "http://x", data={"name": ["one", "two"], "empty": ""}, files={"file": ('a "b".jsonl', text.encode())}
    )
    found = bodies.read(request.read(), request.headers["content-type"])
    assert found.every == {"name": ["one", "two"], "empty": [""], "file": [text]}
    assert list(found.files) == ["file"] and found.files["file"].endswith(".jsonl")


@pytest.mark.parametrize(
    ("part", "name", "file"),
    [
        (b'Content-Disposition: form-data; name="a"\r\n\r\nx', "a", None),
        (b'content-type: text/plain\r\nCONTENT-DISPOSITION:form-data;NAME=a;filename="c;d"\r\n\r\nx', "a", "c;d"),
        (b'Content-Disposition: form-data; filename="name=z"; name="a"\r\n\r\nx', "a", "name=z"),
    ],
)
def test_heads_of_parts_come_in_several_forms(part: bytes, name: str, file: str | None) -> None:
    found = sent(part)
    assert (found, found.files.get(name)) == ({name: "x"}, file)
    assert sent(part, kind='Multipart/Form-Data; charset=utf-8; Boundary="b"') == {name: "x"}


@pytest.mark.parametrize(
    "body", [b"", b"--b", b"x", b"--b\r\n\r\nx\r\n--b--", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"]
)  # fmt: skip
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        bodies.read(body, KIND)


NAMED = b"--b\r\nContent-Disposition: form-data; name=file; filename=x"
END = b"--b--\r\n"
TWICE = "{" + ",".join(f'"{k}":0' for k in range(700_000)) + ',"699999":0}'


@pytest.mark.parametrize(
    "body",
    [
        b"--b\r\n\r\n" * 1_000_000 + END,
        NAMED + b"(a)" * 20_000 + b"\r\n\r\nx\r\n" + END,
        NAMED + b"; a=1" * 12_000 + b"\r\n\r\nx\r\n" + END,
        NAMED + b"\r\n a" * 15_000 + b"\r\n\r\nx\r\n" + END,
        NAMED + b"\r\n\r\n" + TWICE.encode() + b"\r\n" + END,
    ],
    ids=["parts", "comments", "parameters", "folds", "names twice"],
)
def test_a_form_that_no_browser_sends_holds_nobody_up(body: bytes) -> None:
    """Each took minutes to hours, and no other request was answered meanwhile."""
    with serving(problem="serial") as server:
        reply = server.ask("POST", "/transcripts", headers={"content-type": KIND}, content=body)
        assert reply.status_code == 422
        assert server.ask("GET", "/health").status_code == 200
