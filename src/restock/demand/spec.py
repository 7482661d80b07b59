"""The description of demand: one model for YAML, Python and keyword arguments."""

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
    """Customers come more after good service and less after a shortage.

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


class DemandSpec(Spec):
    """Demand of all markets: mean, effects, distribution, goodwill, sampler.

    Attributes:
        mean: Mean demand [mu] (units/period): one number for all markets, or one each.
        distribution: Name, or name with parameters. Default: poisson; with a series, the series
            itself (deterministic), unless a `noise_scale` above zero is written: then poisson.
        effects: Trend, seasonal, shock; names, or names with parameters.
        series: Mean demand by period in place of `mean`: numbers, one row a period, or a CSV column.
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
    noise_scale: float | None = pydantic.Field(None, ge=0.0, le=1e6, description="how far demand strays from its mean")
    goodwill: Goodwill | None = None
    sampler: Sampler = "numpy"

    @pydantic.field_validator("mean")
    @classmethod
    def _not_negative(cls, mean: float | list[float] | None) -> float | list[float] | None:
        if isinstance(mean, list) and not mean:
            raise InvalidInput("", mean, "this is empty", "Write one number, or one for each retail link.")
        for k, value in enumerate(mean if isinstance(mean, list) else [] if mean is None else [mean]):
            if not 0.0 <= value <= LARGEST:
                at = f"[{k}]" if isinstance(mean, list) else ""
                raise InvalidInput(at, value, f"mean demand is 0 to {LARGEST:g}", "Write the units asked for a period.")
        return mean

    @pydantic.field_validator("distribution", mode="before")
    @classmethod
    def _by_name(cls, data: object) -> object:
        """Accept "normal", {"name": "normal", "sd": 4} and a Distribution."""
        if data is None or isinstance(data, Distribution):
            return data
        if isinstance(data, str):
            return validated(find(data), {}, "")
        if isinstance(data, dict) and isinstance(data.get("name"), str):
            return validated(find(data["name"]), {k: v for k, v in data.items() if k != "name"}, "")
        raise InvalidInput("", data, "a distribution is a name, or a mapping with a name", 'Write "poisson".')

    @pydantic.field_validator("series", mode="before")
    @classmethod
    def _numbers(cls, data: object) -> object:
        if data is None or isinstance(data, SeriesSource):
            return data
        if isinstance(data, dict):
            return validated(SeriesSource, data, "")
        if isinstance(data, str):
            mend = "Write {file: ..., column: ...}, or one number a period."
            raise InvalidInput("", data, "a series is numbers, or the column of a file", mend)
        return check_series(data, "").tolist()

    @pydantic.field_validator("goodwill", mode="before")
    @classmethod
    def _on_or_off(cls, data: object) -> object:
        if isinstance(data, bool):
            return {} if data else None
        if data is not None and not isinstance(data, (dict, Goodwill)):
            mend = "Write true, or a mapping with growth, decay, floor and cap."
            raise InvalidInput("", data, "goodwill is on, off, or its parameters", mend)
        return data

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> DemandSpec:
        if self.series is not None and self.mean is not None and isinstance(self.resolved, Empirical):
            problem = "an empirical demand takes its mean from the series"
            raise InvalidInput("mean", self.mean, problem, "Remove the mean, or the series.")
        if isinstance(self.distribution, Empirical) and self.series is None:
            raise InvalidInput("series", None, "an empirical demand is drawn from a series", "Add `series: ...`.")
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
        """Whether this says how much every market asks for, so that no market needs a mean of its own."""
        return self.mean is not None or self.series is not None or self.resolved.mean_of(None) is not None

    @property
    def resolved(self) -> Distribution:
        """The distribution in force."""
        if self.distribution is not None:
            return self.distribution
        return Deterministic() if self.series is not None and not self.noise_scale else Poisson()


def check_demand(data: Any, where: str = "demand") -> DemandSpec:
    """A demand spec from keyword data: a spec, a mapping, a number (the mean), or None.

    Raises:
        InvalidInput: It is none of these, or a field does not hold.
    """
    data = plain(data, where)
    if data is None:
        return DemandSpec()
    if isinstance(data, (int, float)) and not isinstance(data, bool):
        data = {"mean": data}
    return validated(DemandSpec, data, where)
