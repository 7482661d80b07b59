"""The demand spec: one model for YAML, Python and keyword arguments."""

from __future__ import annotations

from typing import Any, Literal

import pydantic

from restock.core.errors import InvalidInput
from restock.core.validation import LARGEST, Spec, plain, validated
from restock.demand.deterministic import Deterministic
from restock.demand.distribution import Distribution
from restock.demand.effects import Effects
from restock.demand.empirical import Empirical
from restock.demand.poisson import Poisson
from restock.demand.registry import find
from restock.demand.series import SeriesSource, check_series

Sampler = Literal["numpy", "sequential", "inverse"]


class Goodwill(Spec):
    """Goodwill: demand grows after good service and falls after a shortage.

    The mean is multiplied by the goodwill s, which starts at 1 and after each period becomes
    min(cap, growth s), or max(floor, decay s) if anyone was left unserved.
    """

    growth: float = pydantic.Field(1.01, gt=0.0, le=1e3, description="factor after a period without shortage")
    decay: float = pydantic.Field(0.90, gt=0.0, le=1e3, description="factor after a period with one")
    floor: float = pydantic.Field(0.2, gt=0.0, le=1e3, description="least goodwill")
    cap: float = pydantic.Field(2.0, gt=0.0, le=1e3, description="most goodwill")

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Goodwill:
        if self.cap < self.floor:
            raise InvalidInput("cap", self.cap, f"this is below floor = {self.floor}", "Write a larger number.")
        return self


class Prior(Spec):
    """The demand known beforehand to those who are told nothing about the future."""

    mean: float | list[float] = pydantic.Field(description="mean demand (units/period), one number or one each")
    distribution: Distribution | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _number(cls, data: object) -> object:
        return {"mean": data} if isinstance(data, (int, float, list)) and not isinstance(data, bool) else data

    @pydantic.field_validator("mean")
    @classmethod
    def _not_negative(cls, mean: float | list[float]) -> float | list[float]:
        return check_mean(mean)

    @pydantic.field_validator("distribution", mode="before")
    @classmethod
    def _by_name(cls, data: object) -> object:
        found = check_distribution(data)
        if isinstance(found, Empirical):
            mend = "Write `past` beside the series: the prior then is what the past says."
            raise InvalidInput("", data, "a prior has no series to be drawn from", mend)
        return found


class DemandSpec(Spec):
    """Demand of all markets: mean, effects, distribution, goodwill, sampler.

    Attributes:
        mean: Mean demand [mu] (units/period): one number for all markets, or one each.
        distribution: Name, or name with parameters. Default: poisson; with a series, the series
            itself (deterministic), unless a `noise_scale` above zero is written: then poisson.
        effects: Trend, seasonal, shock; names, or names with parameters.
        series: Mean demand by period in place of `mean`: numbers, one row a period, or columns of a CSV file.
        same: Whether a series of one column is the demand of every market, where there are several.
        past: How many periods at the start of the series are history: an episode begins after them, and
            they are the prior.
        prior: What is known of demand beforehand, for blind policies: a mean, or a mean and a
            distribution. Default: without a series, the mean and distribution written here; with one, its
            `past`. A series that has neither has no prior.
        noise_scale: Demand is mean + noise_scale * (drawn - mean), never below 0.
        goodwill: Whether service feeds back on demand; true, or its parameters.
        sampler: `numpy`: NumPy's generator, the whole path at reset (under goodwill, NumPy uniforms
            turned into quantiles). `sequential`: one draw at a time from NumPy's generator, at the
            mean of the moment. `inverse`: a counter stream turned into quantiles; the fastest.
    """

    mean: float | list[float] | None = None
    distribution: Distribution | None = None
    effects: Effects = Effects()
    series: list[Any] | SeriesSource | None = None
    same: bool = pydantic.Field(False, description="whether one series is the demand of every market")
    past: int = pydantic.Field(0, ge=0, le=1_000_000_000, description="periods of the series that are history")
    prior: Prior | None = None
    noise_scale: float | None = pydantic.Field(None, ge=0.0, le=1e6, description="how far demand strays from its mean")
    goodwill: Goodwill | None = None
    sampler: Sampler = "numpy"

    @pydantic.field_validator("mean")
    @classmethod
    def _not_negative(cls, mean: float | list[float] | None) -> float | list[float] | None:
        return None if mean is None else check_mean(mean)

    @pydantic.field_validator("distribution", mode="before")
    @classmethod
    def _by_name(cls, data: object) -> object:
        return check_distribution(data)

    @pydantic.field_validator("series", mode="before")
    @classmethod
    def _numbers(cls, data: object) -> object:
        if data is None or isinstance(data, SeriesSource):
            return data
        if isinstance(data, dict):
            for name in ("past", "prior", "same"):
                if name in data:
                    mend = f"Write `{name}` beside `series`, not in it."
                    raise InvalidInput(f".{name}", data[name], "this is said of the demand", mend)
            return validated(SeriesSource, data, "")
        if isinstance(data, str):
            mend = "Write {file: ..., column: ...}, or one number a period."
            raise InvalidInput("", data, "must be numbers, or the column of a file", mend)
        return check_series(data, "").tolist()

    @pydantic.field_validator("goodwill", mode="before")
    @classmethod
    def _on_or_off(cls, data: object) -> object:
        if isinstance(data, bool):
            return {} if data else None
        if data is not None and not isinstance(data, (dict, Goodwill)):
            mend = "Write true, or a mapping with growth, decay, floor and cap."
            raise InvalidInput("", data, "must be on, off, or a mapping of parameters", mend)
        return data

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> DemandSpec:
        if self.series is not None and self.mean is not None and isinstance(self.resolved, Empirical):
            problem = "an empirical demand takes its mean from the series"
            raise InvalidInput("mean", self.mean, problem, "Remove the mean, or the series.")
        if isinstance(self.distribution, Empirical) and self.series is None:
            raise InvalidInput("series", None, "an empirical demand is drawn from a series", "Add `series: ...`.")
        for name in ("same", "past"):
            if getattr(self, name) and self.series is None:
                raise InvalidInput(name, getattr(self, name), "there is no series here", f"Remove `{name}`.")
        if self.past and isinstance(self.distribution, Empirical):
            mend = "Remove `past`, or the distribution."
            raise InvalidInput("past", self.past, "an empirical demand takes the whole series as history", mend)
        if self.past and self.prior is not None:
            raise InvalidInput("past", self.past, "`prior` says what is known beforehand already", "Keep one of them.")
        if isinstance(self.resolved, Deterministic) and self.noise_scale not in (None, 0.0, 1.0):
            problem = "a deterministic demand has no noise to scale"
            raise InvalidInput("noise_scale", self.noise_scale, problem, "Remove it, or choose a distribution.")
        fixed = self.resolved.mean_of(None)
        if fixed is not None and (self.mean is not None or self.series is not None):
            name = "series" if self.mean is None else "mean"
            problem = "the parameters of the distribution fix the mean already"
            raise InvalidInput(name, getattr(self, name), problem, f"Remove `{name}`, or those parameters.")
        if self.series is not None and self.mean is not None:
            raise InvalidInput("mean", self.mean, "the series is the mean already", "Remove `mean`, or `series`.")
        return self

    @property
    def fixes_mean(self) -> bool:
        """Whether the spec says how much every market asks for, so that no market needs a mean of its own."""
        return self.mean is not None or self.series is not None or self.resolved.mean_of(None) is not None

    @property
    def resolved(self) -> Distribution:
        """The distribution in force."""
        if self.distribution is not None:
            return self.distribution
        return Deterministic() if self.series is not None and not self.noise_scale else Poisson()


def check_mean(mean: float | list[float]) -> float | list[float]:
    """Return the mean demand: one number, or one for each market.

    Raises:
        InvalidInput: It is empty, negative or too large.
    """
    if isinstance(mean, list) and not mean:
        raise InvalidInput("", mean, "this is empty", "Write one number, or one for each retail link.")
    for k, value in enumerate(mean if isinstance(mean, list) else [mean]):
        if not 0.0 <= value <= LARGEST:
            at = f"[{k}]" if isinstance(mean, list) else ""
            raise InvalidInput(at, value, f"must be from 0 to {LARGEST:g}", "Write the units asked for a period.")
    return mean


def check_distribution(data: object) -> object:
    """Return a distribution from "normal", {"name": "normal", "sd": 4} or a `Distribution`; None stays None.

    Raises:
        InvalidInput: It is none of these.
    """
    if data is None or isinstance(data, Distribution):
        return data
    if isinstance(data, str):
        return validated(find(data), {}, "")
    if isinstance(data, dict) and isinstance(data.get("name"), str):
        return validated(find(data["name"]), {k: v for k, v in data.items() if k != "name"}, "")
    raise InvalidInput("", data, "must be a name, or a mapping with a name", 'Write "poisson".')


def check_demand(data: Any, where: str = "demand") -> DemandSpec:
    """Return a demand spec from keyword data: a spec, a mapping, a number (the mean), or None.

    Raises:
        InvalidInput: It is none of these, or a field does not hold.
    """
    data = plain(data, where)
    if data is None:
        return DemandSpec()
    if isinstance(data, (int, float)) and not isinstance(data, bool):
        data = {"mean": data}
    return validated(DemandSpec, data, where)
