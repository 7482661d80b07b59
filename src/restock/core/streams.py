"""Random numbers: one seed, many named independent streams.

Two kinds. `generator` gives NumPy generators, so that a seed means the same demand as in other
Gymnasium environments. `uniform` is a counter stream: the number at a place (episode, period,
market) is a pure function of key and place, so it can be read in any order, in compiled code, by
any policy: common random numbers without bookkeeping.
"""

from __future__ import annotations

import ctypes
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import InvalidInput

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
EPISODE = np.uint64(0xD1342543DE82EF95)
TO_UNIT = 2.0**-52


def check_seed(seed: object, field: str = "seed") -> int:
    """Return a seed as a whole number of at least zero.

    Raises:
        InvalidInput: It is not one.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or int(seed) < 0:
        raise InvalidInput(field, seed, "must be an integer >= 0", f"Write for instance {field}=42.")
    return int(seed)


def generator(seed: int, stream: str = "") -> np.random.Generator:
    """Return the NumPy generator of a named stream; the unnamed one is Gymnasium's for this seed."""
    key = (zlib.crc32(stream.encode()),) if stream else ()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def episode_seeds(seed: int, count: int, stream: str = "") -> tuple[int, ...]:
    """Return the seeds of the episodes of a study: `reset(seed=...)` of an environment begins the same episode.

    A function of (seed, stream, number of the episode): other seeds and other streams have other
    episodes, and the first of many are those of few. All are below 2**53, so that JSON and every
    language can hold them.

    Args:
        seed: Of the study.
        count: How many episodes.
        stream: What they are for; the unnamed one is that of `simulate` and `compare`.

    Example:
        >>> episode_seeds(0, 2) == episode_seeds(0, 100)[:2]
        True
        >>> set(episode_seeds(0, 100)) & set(episode_seeds(1, 100))
        set()
    """
    key = (zlib.crc32(stream.encode()), 2)
    bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)).random_raw(count)
    return tuple((bits >> np.uint64(11)).tolist())


_capsule = ctypes.pythonapi.PyCapsule_GetPointer
_capsule.restype = ctypes.c_void_p
_capsule.argtypes = (ctypes.py_object, ctypes.c_char_p)


def bits_of(generator: np.random.Generator) -> int:
    """Return the address of a generator's bits; the generator must outlive its use."""
    address: int = _capsule(generator.bit_generator.capsule, b"BitGenerator")
    return address


def key(seed: int, stream: str) -> int:
    """Return the 64-bit key of a named counter stream."""
    sequence = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(stream.encode()), 1))
    return int(sequence.generate_state(1, np.uint64)[0])


def uniforms(keys: NDArray[np.uint64], episodes: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the numbers 0 .. count - 1 of one episode of each stream, strictly inside (0, 1); shape (B, count).

    SplitMix64 (Steele, Lea, Flood 2014) read at the places episode * odd + i of its sequence.
    """
    with np.errstate(over="ignore"):
        base = keys.astype(np.uint64) + episodes.astype(np.uint64) * EPISODE
        z: Any = base[:, None] + (np.arange(count, dtype=np.uint64) + np.uint64(1))[None, :] * GOLDEN
        z = (z ^ (z >> np.uint64(30))) * MIX_1
        z = (z ^ (z >> np.uint64(27))) * MIX_2
        z = z ^ (z >> np.uint64(31))
    unit: NDArray[np.float64] = ((z >> np.uint64(12)).astype(np.float64) + 0.5) * TO_UNIT  # 52 bits and a half: exact
    return unit


def uniform(stream_key: int, episode: int, count: int) -> NDArray[np.float64]:
    """Return the numbers 0 .. count - 1 of one episode of one counter stream, shape (count,)."""
    numbers: NDArray[np.float64] = uniforms(np.array([stream_key], dtype=np.uint64), np.array([episode]), count)[0]
    return numbers
