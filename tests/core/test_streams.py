"""Random streams: one seed, many named, independent, repeatable streams."""

from __future__ import annotations

import math

import gymnasium as gym
import numpy as np
import pytest

from restock.core import streams
from restock.core.errors import InvalidInput

COUNT = 200_000
FIRST_THREE = (1129261448305548, 1179193319168678, 4446384914337609)  # of seed 0


def test_the_unnamed_generator_is_gymnasiums_for_the_same_seed() -> None:
    for seed in (0, 1, 42, 2**40):
        theirs, _ = gym.utils.seeding.np_random(seed)
        ours = streams.generator(seed)
        assert ours.bit_generator.state == theirs.bit_generator.state
        np.testing.assert_array_equal(ours.poisson(20.0, 50), theirs.poisson(20.0, 50))


def test_named_generators_differ_from_each_other_and_from_the_unnamed_one() -> None:
    names = ("", "demand", "policy", "training")
    draws = {name: streams.generator(7, name).random(1000) for name in names}
    for k, one in enumerate(names):
        np.testing.assert_array_equal(draws[one], streams.generator(7, one).random(1000))
        for other in names[k + 1 :]:
            assert abs(np.corrcoef(draws[one], draws[other])[0, 1]) < 5 / math.sqrt(1000)
            assert not set(draws[one]) & set(draws[other])


def test_keys_differ_with_seed_and_name() -> None:
    keys = {streams.key(seed, name) for seed in range(200) for name in ("demand", "policy")}
    assert len(keys) == 400
    assert streams.key(3, "demand") == streams.key(3, "demand")
    assert all(0 <= key < 2**64 for key in keys)


def test_a_number_depends_on_its_place_only() -> None:
    keys = np.array([streams.key(seed, "demand") for seed in (1, 2, 3)], dtype=np.uint64)
    episodes = np.array([0, 5, 2**40])
    together = streams.uniforms(keys, episodes, 40)
    assert together.shape == (3, 40)
    for b in range(3):
        alone = streams.uniform(int(keys[b]), int(episodes[b]), 40)
        np.testing.assert_array_equal(together[b], alone)
        np.testing.assert_array_equal(streams.uniform(int(keys[b]), int(episodes[b]), 7), alone[:7])


def test_the_first_numbers_are_those_of_splitmix64() -> None:
    """Against the algorithm as published (Steele, Lea, Flood 2014), in whole numbers."""
    state, expected = 1234567, []
    for _ in range(5):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        expected.append(((z ^ (z >> 31)) >> 12) * 2.0**-52 + 2.0**-53)
    assert expected[0] == pytest.approx(6457827717110365317 / 2**64)  # the well-known first output of this seed
    np.testing.assert_array_equal(streams.uniform(1234567, 0, 5), expected)


def key_for(mixed: int) -> int:
    """The key whose first number comes from these 64 bits: SplitMix64 read backwards."""

    def unshifted(z: int, by: int) -> int:
        whole = z
        for _ in range(64 // by):
            whole = z ^ (whole >> by)
        return whole

    z = unshifted(mixed, 31) * pow(0x94D049BB133111EB, -1, 2**64) % 2**64
    z = unshifted(z, 27) * pow(0xBF58476D1CE4E5B9, -1, 2**64) % 2**64
    return (unshifted(z, 30) - 0x9E3779B97F4A7C15) % 2**64


def test_numbers_lie_strictly_between_zero_and_one() -> None:
    numbers = streams.uniform(streams.key(0, "x"), 0, COUNT)
    assert numbers.min() > 0.0 and numbers.max() < 1.0
    assert streams.uniform(key_for(2**63), 0, 1)[0] == 0.5 + 2.0**-53
    assert streams.uniform(key_for(0), 0, 1)[0] == 2.0**-53
    assert streams.uniform(key_for(2**64 - 1), 0, 1)[0] == 1.0 - 2.0**-53


@pytest.mark.parametrize("across", ["places", "episodes", "streams"])
def test_numbers_are_uniform_and_uncorrelated(across: str) -> None:
    """Mean, variance, 256 bins and the correlation with the neighbour, each within five standard errors.

    Neighbours are the next place of an episode, the same place of the next episode, and the same
    place in the stream of the next seed: all three are read as if they were independent.
    """
    if across == "places":
        numbers = streams.uniform(streams.key(3, "demand"), 17, COUNT)
    elif across == "episodes":
        keys = np.full(COUNT, streams.key(3, "demand"), dtype=np.uint64)
        numbers = streams.uniforms(keys, np.arange(COUNT), 1)[:, 0]
    else:
        seeds = 20_000
        keys = np.array([streams.key(seed, "demand") for seed in range(seeds)], dtype=np.uint64)
        numbers = streams.uniforms(keys, np.zeros(seeds, dtype=np.int64), 1)[:, 0]
    n = len(numbers)
    assert abs(numbers.mean() - 0.5) < 5 * math.sqrt(1 / 12 / n)
    assert abs(numbers.var() - 1 / 12) < 5 * math.sqrt(1 / 180 / n)
    bins = np.bincount((numbers * 256).astype(int), minlength=256)
    chi2 = ((bins - n / 256) ** 2 / (n / 256)).sum()
    assert abs(chi2 - 255) < 5 * math.sqrt(2 * 255)
    for lag in (1, 2, 30, 31):
        correlation = np.corrcoef(numbers[:-lag], numbers[lag:])[0, 1]
        assert abs(correlation) < 5 / math.sqrt(n)


def test_pairs_fill_the_square_evenly() -> None:
    numbers = streams.uniform(streams.key(11, "demand"), 2, COUNT)
    cells = np.bincount((numbers[::2] * 16).astype(int) * 16 + (numbers[1::2] * 16).astype(int), minlength=256)
    expected = COUNT / 2 / 256
    chi2 = ((cells - expected) ** 2 / expected).sum()
    assert abs(chi2 - 255) < 5 * math.sqrt(2 * 255)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True, None, float("nan")])
def test_a_seed_is_a_whole_number(seed: object) -> None:
    with pytest.raises(InvalidInput, match="seed"):
        streams.check_seed(seed)


def test_numpy_integers_are_seeds() -> None:
    assert streams.check_seed(np.int32(7)) == 7


# seeds of episodes ----------------------------------------------------------------------------------


def test_neighbouring_seeds_and_streams_share_no_episode() -> None:
    studies = [streams.episode_seeds(seed, 1000, name) for seed in (0, 1, 2, 10**9) for name in ("", "fit", "held out")]
    every = [seed for study in studies for seed in study]
    assert len(set(every)) == len(every) == 12_000


def test_the_first_of_many_seeds_are_those_of_few() -> None:
    assert streams.episode_seeds(42, 10) == streams.episode_seeds(42, 100)[:10]
    assert streams.episode_seeds(42, 0) == ()


def test_seeds_of_episodes_are_the_same_on_every_machine_and_fit_in_a_double() -> None:
    assert streams.episode_seeds(0, 3) == FIRST_THREE
    found = streams.episode_seeds(7, 10_000)
    assert all(type(seed) is int and 0 <= seed < 2**53 for seed in found)
    assert max(found) > 2**52  # all of the range


def test_seeds_of_episodes_spread_evenly() -> None:
    counts = np.bincount(np.array(streams.episode_seeds(3, 64_000)) >> 47, minlength=64)
    chi2 = float(((counts - 1000.0) ** 2 / 1000.0).sum())
    assert abs(chi2 - 63) < 5 * math.sqrt(2 * 63)
