"""What a training run is: the numbers that `config.yaml` of its folder keeps."""

from __future__ import annotations

from typing import Literal

import pydantic

from restock.core.errors import InvalidInput
from restock.core.validation import Spec


class Architecture(Spec):
    """A policy network.

    Attributes:
        kind: `mlp`: one perceptron that sees everything and decides every link. `graph`: one small
            network for all links, which sees its two ends and a summary of the whole.
        head: `quantity`: orders are softplus of the output. `order-up-to`: the output is a level for
            each node and a share for each link.
        hidden: Units of the hidden layers.
        residual: A classical policy whose orders the output is added to (`base-stock`), or None.
        start: A policy whose mean orders in each period the training begins at (`rolling`), or None. It
            applies where the network decides quantities by the calendar, for one demand or, with a
            belief, for a few of them (see `memory.FEW`), nowhere else. With fixed order costs `s-S`
            stands in for `rolling`, which takes minutes there.
            Without it, orders that are cut to nothing in the first steps seldom come back: the
            gradient has gone with them.
        calendar: Whether the network sees the period; without, it is stationary.
        memory: What it sees of the past, beside the last demand. `none`; `history`: the last eight
            demands and their mean; `belief`: which of the demand curves it was trained for explain
            the demand so far, by Bayes' rule, and what they forecast. With a memory it also sees the
            fulfilment rules.
    """

    kind: Literal["mlp", "graph"] = "mlp"
    head: Literal["quantity", "order-up-to"] = "quantity"
    hidden: list[int] = pydantic.Field([128, 128], min_length=1, max_length=8)
    residual: str | None = None
    start: str | None = "rolling"
    calendar: bool = True
    memory: Literal["none", "history", "belief"] = "none"

    @pydantic.model_validator(mode="after")
    def _holds(self) -> Architecture:
        for k, units in enumerate(self.hidden):
            if not 1 <= units <= 4096:
                raise InvalidInput(f"hidden[{k}]", units, "a layer has 1 to 4096 units", "Write for instance 128.")
        if self.residual is not None and self.head != "quantity":
            raise InvalidInput("residual", self.residual, "levels are no correction of orders", "Use head: quantity.")
        if self.kind == "graph" and self.head != "quantity":
            raise InvalidInput("head", self.head, "a graph network decides quantities", "Use head: quantity.")
        return self

    @property
    def begins(self) -> str | None:
        """The policy that training begins at, where that applies."""
        plain = self.kind == "mlp" and self.head == "quantity" and self.residual is None
        return self.start if plain and self.calendar and self.memory != "history" else None


class Pathwise(Spec):
    """Training by the pathwise gradient.

    Attributes:
        steps: Gradient steps of a restart.
        batch: Sampled paths of a step.
        restarts: Networks trained from different beginnings; the best on held-out paths is kept.
        peak_rate: Largest learning rate of the one-cycle schedule.
        gradient_norm: The gradient is cut to this norm.
        sharpness: First and last k of 1 - exp(-k unmet), which stands for "a shortage was felt" under
            goodwill (and in the same way for "an order was placed" under fixed order costs).
        evaluate_every: Steps between evaluations on held-out paths, which is also when a checkpoint
            is written.
        held_out: Held-out paths.
        patience: Evaluations without a better one before a restart ends early.
        cpu_seconds: No step begins after this much processor time, restarts included; None: no limit.
        warm_up: First periods of an episode whose profit does not count, for long-run averages.
    """

    steps: int = pydantic.Field(600, ge=1, le=1_000_000)
    batch: int = pydantic.Field(128, ge=1, le=100_000)
    restarts: int = pydantic.Field(2, ge=1, le=100)
    peak_rate: float = pydantic.Field(6e-3, gt=0.0, le=1.0)
    gradient_norm: float = pydantic.Field(1.0, gt=0.0)
    sharpness: list[float] = pydantic.Field([0.5, 3.0], min_length=2, max_length=2)
    evaluate_every: int = pydantic.Field(100, ge=1)
    held_out: int = pydantic.Field(256, ge=2, le=100_000)
    patience: int = pydantic.Field(10, ge=1)
    cpu_seconds: float | None = pydantic.Field(120.0, gt=0.0)
    warm_up: int = pydantic.Field(0, ge=0)

    @pydantic.model_validator(mode="after")
    def _holds(self) -> Pathwise:
        if min(self.sharpness) <= 0.0:
            raise InvalidInput("sharpness", self.sharpness, "both ends are above 0", "Write [0.5, 3].")
        return self


class Family(Spec):
    """A broad family of demand, each path from another member.

    Attributes:
        level: Least and most mean before effects (units/period), evenly between.
        slope: Of the trend, as a share of the level a period.
        amplitude: Of a wave of 30 periods and any phase.
        shock: Factor of a lasting shock at any time.
        there: Probability that a path has a trend, a wave, a shock, each for itself.
        noise_scale: Least and most.
        goodwill: Probability that goodwill moves demand.
        backlog: Probability that unmet demand waits.
    """

    level: list[float] = pydantic.Field([10.0, 40.0], min_length=2, max_length=2)
    slope: list[float] = pydantic.Field([0.0, 0.1], min_length=2, max_length=2)
    amplitude: list[float] = pydantic.Field([0.0, 0.8], min_length=2, max_length=2)
    shock: list[float] = pydantic.Field([0.5, 2.5], min_length=2, max_length=2)
    there: float = pydantic.Field(0.5, ge=0.0, le=1.0)
    noise_scale: list[float] = pydantic.Field([0.5, 2.0], min_length=2, max_length=2)
    goodwill: float = pydantic.Field(0.5, ge=0.0, le=1.0)
    backlog: float = pydantic.Field(0.5, ge=0.0, le=1.0)


class Regimes(Spec):
    """Which demand a generalist is trained for.

    Attributes:
        kind: `effects`: the eight combinations of trend, season and shock (with the parameters that the
            problem's demand has, or the default ones), each with and without goodwill and backlog.
            `family`: a broad family.
        family: Its ranges.
    """

    kind: Literal["effects", "family"] = "effects"
    family: Family = Family()
