"""Fields declared once: layout, packing by name and generated texts."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from restock.core.errors import InvalidInput
from restock.core.operations import MOST, SHIFT, UNIT, form_of, linear, reading
from restock.core.schema import (
    ONE,
    PERIOD,
    Schema,
    Seen,
    chance,
    constant,
    cost,
    flow,
    hidden,
    income,
    initial,
    integer,
    real,
    stock,
)


class Shops(NamedTuple):
    """Tables."""

    supplier: Any = integer("shop", "index", "who delivers")
    price: Any = real("shop", "money/unit", "sale price", "p")
    weights: Any = real("score", "1", "of the scores")
    counts: Any = real(ONE, "1", "whether fines count")


class State(NamedTuple):
    """What carries over."""

    on_hand: Any = stock("shop", "units", "stock", "I")
    pipe: Any = hidden(("day", "shop"), "units", "what is to come")


class Chance(NamedTuple):
    """What is drawn."""

    begun: Any = initial("shop", "units", "stock at the start")
    worth: Any = constant(ONE, "1", "discount")
    held: Any = constant("shop", "1", "where stock costs")
    demand: Any = chance("shop", "units", "demand", "D")
    needs: Any = chance(("shop", "item"), "units", "demand by item", over="day")


class Flows(NamedTuple):
    """What happened."""

    sent: Any = flow(("shop", "shop"), "units", "shipments", "x")
    scores: Any = income("score", "1", "weighed", weight="shops.weights", entries=("good", "better"))
    fine: Any = cost(ONE, "money", "a fine, as far as it counts", weight="shops.counts")
    closed: Any = flow(ONE, "1", "whether all shops were closed")
    revenue: Any = income("shop", "money", "sales")
    holding: Any = cost("shop", "money", "cost of stock")
    rent: Any = cost(ONE, "money", "rent")


SCHEMA = Schema(
    "shops",
    "sent",
    ["on_hand", Seen("ahead", "chance.demand[t][i] - 1.0", "shop"), Seen("period", "t")],
    discount="chance.worth",
    money=("good", "better", "revenue", "holding", "rent", "fine"),
    shops=Shops, state=State, chance=Chance, flows=Flows,
)  # fmt: skip
SIZES = {"shop": 2, PERIOD: 3, "day": 4, "item": 5, "score": 2}
GIVEN = {"shops.supplier": [1, 0], "shops.price": [2.5, 3.5], "shops.weights": [2.0, 3.0], "shops.counts": 0.5}


def world() -> Any:
    """Return ints, floats, the memory row and the world; each number of the row is its place."""
    ints, floats = SCHEMA.pack(SIZES, GIVEN)
    row = np.arange(float(ints[0]))
    return ints, floats, row, SCHEMA.World(*SCHEMA.unpack(ints, floats, row))


def test_unpack_returns_each_field_where_it_was_packed() -> None:
    ints, _, row, (shops, state, drawn, flows) = world()
    assert shops.supplier.tolist() == [1, 0]
    assert shops.price.tolist() == [2.5, 3.5]
    assert (drawn.demand.shape, drawn.needs.shape, drawn.held.shape) == ((3, 2), (4, 10), (2,))
    recorded = np.concatenate([state.on_hand, *flows])
    assert recorded.tolist() == row[: ints[1]].tolist()
    rest = [*state.pipe, *drawn.begun, drawn.worth, *drawn.held, *drawn.demand.ravel(), *drawn.needs.ravel()]
    assert rest == row[ints[1] :].tolist()


def test_totals_sums_weighs_discounts_and_signs() -> None:
    _, _, row, found = world()
    row[:] = 0.0
    row[int(SCHEMA.places(SIZES, "recorded", "hidden", "episode")["chance.worth"].start)] = 0.5
    found = SCHEMA.World(*SCHEMA.unpack(*SCHEMA.pack(SIZES, GIVEN), row))
    flows = found.flows
    flows.revenue[:], flows.holding[:], flows.rent[:] = [5.0, 7.0], [1.0, 2.0], 4.0
    flows.scores[:], flows.fine[:] = [1.0, 10.0], 8.0
    assert SCHEMA.totals(0, *found) == (2.0, 30.0, 12.0, -3.0, -4.0, -4.0)
    assert SCHEMA.totals(2, *found) == (0.5, 7.5, 3.0, -0.75, -1.0, -1.0)


def test_held_is_where_an_episode_keeps_its_fields() -> None:
    _, _, row, found = world()
    episode = row[row.size - SCHEMA.length(SIZES, "episode") :]
    for name, (place, shape) in SCHEMA.held(SIZES).items():
        held = np.asarray(getattr(found.chance, name))
        assert held.ravel().tolist() == episode[place].tolist()
        assert held.size == np.prod(shape)


def test_observation_is_the_blocks_times_their_scale() -> None:
    ints, floats, _, found = world()
    seen = np.zeros(ints[3])
    SCHEMA.observe(1, seen, ints, np.concatenate([floats, [1.0, 2.0, 1.0, 1.0, 3.0]]), *found)
    demand = found.chance.demand[1]
    assert seen.tolist() == [found.state.on_hand[0], 2.0 * found.state.on_hand[1], *(demand - 1.0), 3.0]


def test_decide_reads_an_action_within_its_bounds() -> None:
    ints, floats, _, found = world()
    unit, shift, most, scale = np.full(4, 2.0), np.ones(4), np.full(4, 5.0), np.ones(5)
    whole = np.concatenate([floats, unit, shift, most, scale])
    assert form_of(ints) == 0
    assert [reading(what, 3, ints, whole) for what in (UNIT, SHIFT, MOST)] == [2.0, 1.0, 5.0]
    SCHEMA.decide(np.array([-3.0, 0.0, 1.0, 9.0]), ints, whole, *found)
    assert found.flows.sent.tolist() == [0.0, 2.0, 4.0, 5.0]
    linear(np.array([0.5]), ints, whole, found.flows.sent)
    assert found.flows.sent.tolist() == [3.0] * 4
    SCHEMA.put([1.0, 2.0, 3.0, 4.0], *found)
    assert found.flows.sent.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_what_an_episode_begins_with_must_be_the_first_stocks() -> None:
    class Drawn(NamedTuple):
        """Begins with another thing than the stock."""

        begun: Any = initial("item", "units", "of another axis")

    class Stock(NamedTuple):
        """What carries over."""

        on_hand: Any = stock("shop", "units", "stock")

    with pytest.raises(TypeError, match="first stocks"):
        Schema("wrong", "on_hand", state=Stock, drawn=Drawn)


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
        SCHEMA.pack(SIZES, GIVEN | change)


def test_pack_refuses_a_missing_column_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"shops\.price"):
        SCHEMA.pack(SIZES, {"shops.supplier": [1, 0]})


def test_a_field_left_out_of_a_part_stays_an_error() -> None:
    with pytest.raises(TypeError):
        State()


def test_labels_follow_axes() -> None:
    labels = SCHEMA.labels({"shop": ("a", "b"), "score": range(2)})
    assert labels["sent"] == ("a a", "a b", "b a", "b b")
    assert labels["scores"] == ("0", "1")
    assert SCHEMA.labels({("shop", "shop"): "wxyz", "shop": "ab", "score": "gh"})["sent"] == ("w", "x", "y", "z")
    assert labels["revenue"] == ("a", "b")
    assert labels["closed"] == ("closed",)


def test_symbols_names_every_field() -> None:
    assert all(field.key in SCHEMA.symbols() for field in SCHEMA.fields)
