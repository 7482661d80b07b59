"""Numbers for readers: few decimals, thousands marked, a real minus sign."""

from __future__ import annotations

import decimal
import math
from collections.abc import Iterable

from restock.evaluation.stats import Estimate

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
MORE = "\N{HORIZONTAL ELLIPSIS}"
NOISE = 9  # decimals beyond which a number is rounding errors
LARGEST = 1e15  # from here on a number has no decimals


def decimals(values: Iterable[float]) -> int:
    """Return the decimals for numbers of this size side by side: 0 from a hundred on, 1 from ten on, else 2."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    return 0 if largest >= 99.5 else 1 if largest >= 9.95 else 2


def alike(values: Iterable[float]) -> int:
    """Return enough decimals to show each number as it would be shown alone, so that sums add up as printed."""
    return max((decimals([v]) for v in values if math.isfinite(v)), default=0)


def apart(values: Iterable[float], most: int = 4) -> int:
    """Return the fewest decimals, from the usual number on, with which different numbers look different."""
    found = {v for v in values if math.isfinite(v)}
    return next((n for n in range(decimals(found), most) if len({round(v, n) for v in found}) == len(found)), most)


def rounded(value: float, places: int = 0) -> float:
    """Return the number rounded as it is written, halves away from zero: 11.5 and 12.4 are 12, 0.125 is 0.13."""
    if not abs(value) < LARGEST:
        return float(value)
    written = decimal.Decimal(repr(float(value)))
    return float(written.quantize(decimal.Decimal(1).scaleb(-places), decimal.ROUND_HALF_UP))


def units(value: float) -> str:
    """Return a quantity with its unit."""
    words = quantity(value)
    return f"{words} unit" if words == "1" else f"{words} units"


def quantity(value: float) -> str:
    """Return a quantity with all its decimals if these are few, else with two."""
    few = next((n for n in range(5) if abs(rounded(value, n) - value) < 10.0**-NOISE), 2)
    return amount(value, few)


def exact(value: float, most: int = 6) -> str:
    """Return a number that was decided, with all its decimals; where these are too many, dots say that more follow."""
    value = rounded(value, NOISE)
    digits = decimal.Decimal(repr(float(value))).as_tuple().exponent
    places = max(-digits, 0) if isinstance(digits, int) and not value.is_integer() else 0
    if places <= most:
        return amount(value, places)
    return amount(math.copysign(math.floor(abs(value) * 10.0**most) / 10.0**most, value), most) + MORE


def amount(value: float, places: int = 0, sign: bool = False) -> str:
    """Return the number with so many decimals, halves rounded away from zero; a dash if there is none."""
    if not math.isfinite(value):
        return NONE
    words = f"{rounded(abs(value), places):,.{places}f}"
    if not words.strip("0.,"):
        return words
    return (MINUS if value < 0 else "+" if sign else "") + words


def share(value: float, places: int = 0) -> str:
    """Return a share as a percentage."""
    return NONE if not math.isfinite(value) else amount(100.0 * value, places) + "%"


def p_in_words(p: float) -> str:
    """Return a p-value with two digits, or in words if it is very small."""
    if not math.isfinite(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def interval(value: Estimate, places: int = 0, sign: bool = False) -> str:
    """Return the ends of a 95% interval."""
    if not math.isfinite(value.low):
        return NONE
    return f"{amount(value.low, places, sign)} to {amount(value.high, places, sign)}"


def share_interval(value: Estimate, places: int = 0) -> str:
    """Return the ends of a 95% interval of a share, as percentages."""
    if not math.isfinite(value.low):
        return NONE
    return f"{amount(100.0 * value.low, places)} to {amount(100.0 * value.high, places)}%"


def places_for(value: Estimate) -> int:
    """Return the decimals for a mean and its interval."""
    return decimals([value.mean, value.low, value.high])


def at_least(told: str, missing: float) -> str:
    """Return a sum in words; with a mark if something is missing in it."""
    return f"≥ {told}" if missing else told


def price(cost: float | None, uncounted: float = 0) -> str:
    """Return an amount of money, a least one if replies are not counted in it."""
    return NONE if cost is None else at_least(f"{cost:.4g}", uncounted)
