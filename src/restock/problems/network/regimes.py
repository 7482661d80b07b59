"""Randomised demand: a new regime in every episode, drawn around the network's own.

A regime is a `DemandSpec` and whether unmet demand waits. An episode vector of the network holds
all that a regime can change, so a source of such vectors is all it takes.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pydantic
from numpy.typing import NDArray

from restock.core import streams
from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Array, ObservationForm, Source
from restock.core.validation import Spec
from restock.demand.compiled_distribution import own_function
from restock.demand.effects import Effects
from restock.demand.path import DEFAULT_MEAN, Demand
from restock.demand.series import SeriesSource
from restock.demand.spec import DemandSpec, Goodwill, check_demand
from restock.problems.network.problem import NetworkProblem

STREAM = "demand regimes"
EVERY_EFFECT = Effects.model_validate(list(Effects.model_fields))


class DemandRegimes(Spec):
    """The possible regimes, and their probabilities.

    Attributes:
        effects: Probability of each effect (trend, seasonal, shock), or one for all; an effect that
            is on has the parameters of the network's demand, or the default ones. An effect that
            is not named stays as it is.
        level: Least and most factor on the mean of all markets, uniform between.
        noise_scale: Least and most noise scale, uniform between; None leaves it.
        goodwill: Probability that service feeds back on demand; None leaves it.
        backlog: Probability that unmet demand waits; None leaves it.
        specs: Demand specs of which each episode has one, all equally likely, in place of
            `effects`, `level`, `noise_scale` and `goodwill`.
    """

    EFFECTS: ClassVar[tuple[str, ...]] = tuple(Effects.model_fields)

    effects: dict[str, float] = dict.fromkeys(EFFECTS, 0.5)
    level: list[float] = pydantic.Field([0.8, 1.2], min_length=2, max_length=2)
    noise_scale: list[float] | None = pydantic.Field(None, min_length=2, max_length=2)
    goodwill: float | None = pydantic.Field(None, ge=0.0, le=1.0)
    backlog: float | None = pydantic.Field(None, ge=0.0, le=1.0)
    specs: list[DemandSpec] | None = None

    @pydantic.field_validator("effects", mode="before")
    @classmethod
    def _by_name(cls, data: object) -> object:
        if isinstance(data, (int, float)) and not isinstance(data, bool):
            data = dict.fromkeys(cls.EFFECTS, float(data))
        if isinstance(data, dict):
            for name, probability in data.items():
                if name not in cls.EFFECTS:
                    raise InvalidInput(str(name), probability, "there is no such effect", nearest(name, cls.EFFECTS))
                number = isinstance(probability, (int, float)) and not isinstance(probability, bool)
                if not number or not 0.0 <= probability <= 1.0:
                    raise InvalidInput(
                        name, probability, "must be a probability from 0 to 1", "Write for instance 0.5."
                    )
        return data

    @pydantic.field_validator("goodwill", "backlog", mode="before")
    @classmethod
    def _on_or_off(cls, data: object) -> object:
        return float(data) if isinstance(data, bool) else data

    @pydantic.field_validator("specs", mode="before")
    @classmethod
    def _checked(cls, data: object) -> object:
        if not isinstance(data, list):
            return data
        if not data:
            raise InvalidInput("", data, "there is no spec to choose from", "List at least one.")
        return [check_demand(one, f"[{k}]") for k, one in enumerate(data)]

    @pydantic.model_validator(mode="after")
    def _ranges(self) -> DemandRegimes:
        for name in ("level", "noise_scale"):
            ends = getattr(self, name)
            if ends is not None and not 0.0 <= ends[0] <= ends[1]:
                raise InvalidInput(name, ends, "must be [least, most], neither negative", "Write [0.8, 1.2].")
        if self.specs is not None:
            for name in ("effects", "level", "noise_scale", "goodwill"):
                if name in self.model_fields_set:
                    raise InvalidInput(name, getattr(self, name), "`specs` says this already", "Give one of the two.")
        return self


@dataclasses.dataclass(frozen=True)
class Regime:
    """The regime of one episode.

    Attributes:
        demand: Its demand.
        backlog: Whether unmet demand waits.
        level: Factor on the mean that is in `demand` already.
    """

    demand: DemandSpec
    backlog: bool
    level: float = 1.0

    def as_info(self) -> dict[str, Any]:
        """Return what an environment reports about it; `demand` can be given to `gym.make`."""
        return {
            "effects": " ".join(
                name for name in Effects.model_fields if getattr(self.demand.effects, name) is not None
            ),
            "level": self.level,
            "noise_scale": 1.0 if self.demand.noise_scale is None else self.demand.noise_scale,
            "goodwill": self.demand.goodwill is not None,
            "backlog": self.backlog,
            "demand": self.demand,
        }


class Regimes:
    """The regimes of one network, ready to be drawn.

    Args:
        problem: The network.
        spec: Which regimes there are.

    Raises:
        InvalidInput: Some regime does not fit the network, or is drawn period by period.
    """

    def __init__(self, problem: NetworkProblem, spec: DemandRegimes) -> None:
        self.problem = problem
        self.spec = spec
        self._base = problem.spec.demand
        if isinstance(self._base.series, SeriesSource):
            self._base = self._base.model_copy(update={"series": self._base.series.read().tolist()})
        if problem.sequential:
            raise _drawn_late("demand", problem.spec.demand)
        for k, regime in enumerate(self._extremes()):
            where = f"regimes.specs[{k}]" if spec.specs else "demand"
            try:
                demand = under(problem, regime).demand
            except InvalidInput as error:
                field = where + error.field.removeprefix("demand")
                raise InvalidInput(field, error.value, error.problem, error.mend) from None
            if demand.sequential:
                raise _drawn_late(where, regime.demand)
            if own_function(demand.distribution) not in (None, own_function(problem.demand.distribution)):
                what = "must be the compiled distribution of the network itself, or a built-in one"
                mend = "Give the network this distribution, or use a built-in one."
                raise InvalidInput(f"{where}.distribution", demand.distribution.name, what, mend)
        fixed = self._base.resolved.mean_of(None) is not None
        if not spec.specs and fixed and spec.level != [1.0, 1.0]:
            raise InvalidInput(
                "regimes.level", spec.level, "the distribution's own parameters fix the mean",
                "Use [1.0, 1.0], or `specs`.",
            )  # fmt: skip

    def source(self, seeds: Sequence[int], generators: Sequence[np.random.Generator] | None = None) -> RegimeSource:
        """Return the episodes for rows with these seeds; see `Problem.source`."""
        return RegimeSource(self, seeds, generators or [streams.generator(seed) for seed in seeds])

    def draw(self, generator: np.random.Generator) -> Regime:
        """Return the next regime of a stream; takes eight numbers of it, whatever comes out."""
        u = generator.random(8)
        spec, base = self.spec, self.problem.spec
        backlog = base.backlog if spec.backlog is None else bool(u[0] < spec.backlog)
        if spec.specs is not None:
            return Regime(spec.specs[int(u[1] * len(spec.specs))], backlog)
        on = {name: bool(u[2 + k] < spec.effects[name]) for k, name in enumerate(spec.EFFECTS) if name in spec.effects}
        goodwill = base.demand.goodwill is not None if spec.goodwill is None else bool(u[5] < spec.goodwill)
        noise = None if spec.noise_scale is None else _between(spec.noise_scale, u[6])
        return self._regime(on, _between(spec.level, u[7]), noise, goodwill, backlog)

    def widened(self, form: ObservationForm) -> ObservationForm:
        """Return the observation form with bounds that hold under every regime."""
        caps = [r.demand.goodwill.cap for r in self._extremes() if r.demand.goodwill is not None]
        high = form.high.copy()
        block = form.groups["goodwill"]
        high[block] = np.maximum(high[block], max([1.0, *caps]) * form.scale[block])
        return dataclasses.replace(form, high=high)

    def _extremes(self) -> list[Regime]:
        """Return regimes between which all others lie."""
        base = self.problem.spec
        if self.spec.specs is not None:
            return [Regime(one, base.backlog) for one in self.spec.specs]
        goodwill = base.demand.goodwill is not None if self.spec.goodwill is None else self.spec.goodwill > 0.0
        every = {name: probability > 0.0 for name, probability in self.spec.effects.items()}
        noise = None if self.spec.noise_scale is None else self.spec.noise_scale[1]
        return [self._regime(every, 1.0, noise, goodwill, base.backlog)]

    def _regime(self, on: dict[str, bool], level: float, noise: float | None, goodwill: bool, backlog: bool) -> Regime:
        """Return the network's own demand with these changes."""
        base = self._base
        own = {name: getattr(base.effects, name) or getattr(EVERY_EFFECT, name) for name in on}
        changes: dict[str, Any] = {
            "effects": base.effects.model_copy(update={name: own[name] if on[name] else None for name in on}),
            "goodwill": (base.goodwill or Goodwill()) if goodwill else None,
        }
        if noise is not None:
            changes["noise_scale"] = noise
        if level != 1.0:
            changes.update(self._at_level(level))
        return Regime(base.model_copy(update=changes), backlog, level)

    def _at_level(self, level: float) -> dict[str, Any]:
        """Return the fields of the demand spec that say how high it is, times a factor."""
        base = self._base
        if base.series is not None:
            return {"series": (np.array(base.series) * level).tolist()}
        means: Any = base.mean
        if not isinstance(means, list):
            own = [means if means is not None else market.mean for market in self.problem.spec.ordered_markets]
            means = [DEFAULT_MEAN if mean is None else mean for mean in own]
        return {"mean": [mean * level for mean in means]}


class RegimeSource(Source):
    """Episodes under newly drawn regimes, one sequence per row.

    Attributes:
        regimes: Regime of the episode under way in each row.
        begun: Rows that have begun an episode; whoever reads it may clear it.
    """

    def __init__(self, regimes: Regimes, seeds: Sequence[int], generators: Sequence[np.random.Generator]) -> None:
        self._regimes = regimes
        self._generators = list(generators)
        self._choosers = [streams.generator(seed, STREAM) for seed in seeds]
        self._keys = [streams.key(seed, "demand") for seed in seeds]
        self._episode = [0] * len(seeds)
        self.regimes: list[Regime | None] = [None] * len(seeds)
        self.begun: list[int] = []

    def restart(self, row: int, seed: int, generator: np.random.Generator) -> None:
        """Begin a row's sequence afresh."""
        self._generators[row] = generator
        self._choosers[row] = streams.generator(seed, STREAM)
        self._keys[row] = streams.key(seed, "demand")
        self._episode[row] = 0

    def next(self, rows: NDArray[np.int64]) -> Array:
        """Return the next episode of each row named, shape (len(rows), drawn)."""
        problem = self._regimes.problem
        episodes = np.empty((len(rows), problem.plain.drawn))
        for k, row in enumerate(rows.tolist()):
            regime = self._regimes.draw(self._choosers[row])
            variant = under(problem, regime)
            if regime.demand.sampler == "inverse":
                path = variant.demand.path_at(self._keys[row], self._episode[row])
            else:
                path = variant.demand.path(self._generators[row])
            self._episode[row] += 1
            episodes[k] = variant.episode_under(path.law, path.mean, path.draw)
            self.regimes[row] = regime
            self.begun.append(row)
        return episodes


def under(problem: NetworkProblem, regime: Regime) -> NetworkProblem:
    """Return the same network under a regime; all that demand does not touch is shared.

    Raises:
        InvalidInput: The demand does not fit the markets or the horizon.
    """
    variant = copy.copy(problem)
    variant.spec = problem.spec.model_copy(update={"demand": regime.demand, "backlog": regime.backlog})
    variant.demand = Demand(regime.demand, [market.mean for market in problem.spec.ordered_markets], problem.horizon)
    return variant


def _between(ends: Sequence[float], u: float) -> float:
    return float(ends[0] + (ends[1] - ends[0]) * u)


def _drawn_late(where: str, demand: DemandSpec) -> InvalidInput:
    name = "sampler" if demand.sampler == "sequential" else "distribution"
    value = demand.sampler if name == "sampler" else demand.resolved.name
    problem = "under goodwill this is drawn period by period, not before the episode"
    mend = "Use a built-in or compiled distribution, and sampler numpy or inverse."
    return InvalidInput(f"{where}.{name}", value, problem, mend)
