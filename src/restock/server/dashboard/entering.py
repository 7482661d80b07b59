"""A form that somebody has filled in, as an action: every mistake is told at its field, and nothing is played."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restock.core.errors import InvalidInput
from restock.core.records import Played, Records
from restock.server.dashboard.fields import blame, read
from restock.server.dashboard.forms import Box, Form


def entered(form: Form, sent: Mapping[str, str], records: Records, played: Played) -> dict[str, Any]:
    """Return the action that a form describes, after looking for mistakes in all of its fields.

    Agents may try what certainly cannot be carried out, and pay for it; a person is told so instead.

    Args:
        form: As `form_of` gives it; what was sent and what is wrong with it are written into its boxes.
        sent: By the names of the boxes.
        records: Of the problem.
        played: The episode so far.

    Raises:
        InvalidInput: The first mistake.
    """
    action, wrong = read(form, sent)
    for box in form.boxes():
        alone = _alone(box, action)
        if alone is None:
            continue
        try:
            records.decision(alone[0])
            _check_range(box, alone[1])
        except InvalidInput as error:
            wrong.append(error)
            blame(form, error)
            _take_out(action, box)
    try:
        records.decision(action)
        impossible = records.impossible(action, played)
    except InvalidInput as error:
        impossible = [error]
    for mistake in impossible:
        blame(form, mistake)
    wrong += impossible
    if wrong:
        raise wrong[0]
    return action


def _alone(box: Box, action: Mapping[str, Any]) -> tuple[dict[str, Any], Any] | None:
    """Return the action that says nothing but what stands in a box, and that; None if nothing does."""
    _, field, *key = box.path.split(".", 2)
    value = action.get(field)
    if key:
        value = None if value is None else value.get(key[0])
    return None if value is None else ({field: {key[0]: value} if key else value}, value)


def _take_out(action: dict[str, Any], box: Box) -> None:
    _, field, *key = box.path.split(".", 2)
    del (action[field] if key else action)[key[0] if key else field]


def _check_range(box: Box, value: Any) -> None:
    """Check that a number is not cut off when it is played.

    Raises:
        InvalidInput: It would be.
    """
    if box.choices or box.high is None or box.low is None:
        return
    if not box.low <= value <= box.high:
        raise InvalidInput(box.path, value, f"must be {box.low:g} to {box.high:g}", "Write a number within that.")
