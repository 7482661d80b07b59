"""Fields declared once: layout, packing by name and generated texts."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from restock.core.errors import InvalidInput
from restock.core.schema import ONE, PERIOD, Schema, chance, cost, flow, income, integer, real, stock


class Shops(NamedTuple):
    """Tables."""

    supplier: Any = integer("shop", "index", "who delivers")
    price: Any = real("shop", "money/unit", "sale price", "p")


class State(NamedTuple):
    """What carries over."""

    on_hand: Any = stock("shop", "units", "stock", "I")


class Chance(NamedTuple):
    """What is drawn."""

    demand: Any = chance("shop", "units", "demand", "D")


class Flows(NamedTuple):
    """What happened."""

    closed: Any = flow(ONE, "1", "whether all shops were closed")
    revenue: Any = income("shop", "money", "sales")
    holding: Any = cost("shop", "money", "cost of stock")
    rent: Any = cost(ONE, "money", "rent")


SCHEMA = Schema("shops", shops=Shops, state=State, chance=Chance, flows=Flows)
SIZES = {"shop": 2, PERIOD: 3}
GIVEN = {"shops.supplier": [1, 0], "shops.price": [2.5, 3.5]}


def test_unpack_returns_each_field_where_it_was_packed() -> None:
    ints, floats = SCHEMA.pack(SIZES, 2, 2, GIVEN)
    row = np.arange(float(ints[0]))
    shops, state, drawn, flows = SCHEMA.unpack(ints, floats, row)
    assert shops.supplier.tolist() == [1, 0]
    assert shops.price.tolist() == [2.5, 3.5]
    assert drawn.demand.shape == (3, 2)
    recorded = np.concatenate([state.on_hand, *flows])
    assert recorded.tolist() == row[: ints[1]].tolist()
    assert drawn.demand.ravel().tolist() == row[ints[1] :].tolist()


def test_totals_sums_over_axes_and_signs_costs() -> None:
    ints, floats = SCHEMA.pack(SIZES, 2, 2, GIVEN)
    world = SCHEMA.unpack(ints, floats, np.zeros(ints[0]))
    world[3].revenue[:], world[3].holding[:], world[3].rent[:] = [5.0, 7.0], [1.0, 2.0], 4.0
    assert SCHEMA.totals(0, *world) == (12.0, -3.0, -4.0)
    assert SCHEMA.money == ("revenue", "holding", "rent")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"shops.price": [1.0, 2.0, 3.0]}, "shops.price"),
        ({"shops.price": 1.0}, "shops.price"),
        ({"shops.prize": [1.0, 2.0]}, "shops.prize"),
    ],
)
def test_pack_refuses_a_wrong_column_by_name(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        SCHEMA.pack(SIZES, 2, 2, GIVEN | change)


def test_pack_refuses_a_missing_column_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"shops\.price"):
        SCHEMA.pack(SIZES, 2, 2, {"shops.supplier": [1, 0]})


def test_a_field_left_out_of_a_part_stays_an_error() -> None:
    with pytest.raises(TypeError):
        State()


def test_labels_follow_axes() -> None:
    labels = SCHEMA.labels({"shop": ("a", "b")})
    assert labels["revenue"] == ("a", "b")
    assert labels["closed"] == ("closed",)


def test_symbols_names_every_field() -> None:
    assert all(field.key in SCHEMA.symbols() for field in SCHEMA.fields)
