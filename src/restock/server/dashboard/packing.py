"""Episodes of a transcript, kept compressed: parsed, they take twenty times the memory of the file."""

from __future__ import annotations

import dataclasses
import io
import pickle
import zlib
from collections.abc import Iterable, Iterator, Sequence

from restock.server.dashboard.turns import Episode

FAST = 1  # the level of compression


class Packed(Sequence[Episode]):
    """Episodes that are unpacked whenever they are looked at.

    Args:
        episodes: What is packed.

    Attributes:
        seeds: Of the episodes.
        size: Bytes that they take.
    """

    def __init__(self, episodes: Iterable[Episode]) -> None:
        self._packed: list[tuple[bytes, int]] = []  # each with its number of turns
        self.seeds: tuple[int, ...] = ()
        for one in episodes:
            self._packed.append((_packed(one), len(one.turns)))
            self.seeds += (one.seed,)
        self.size = sum(len(packed) for packed, _ in self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[Episode]:
        return (_unpacked(*one) for one in self._packed)

    def __getitem__(self, b: int) -> Episode:  # type: ignore[override]
        return _unpacked(*self._packed[b])


def _packed(episode: Episode) -> bytes:
    """Return an episode, packed turn by turn: while pickle works on one thing, no other thread does anything."""
    told = io.BytesIO()
    pickler = pickle.Pickler(told, pickle.HIGHEST_PROTOCOL)  # which writes what two turns share once
    pickler.dump(dataclasses.replace(episode, turns=[]))
    for turn in episode.turns:
        pickler.dump(turn)
    return zlib.compress(told.getvalue(), FAST)


def _unpacked(packed: bytes, turns: int) -> Episode:
    unpickler = pickle.Unpickler(io.BytesIO(zlib.decompress(packed)))  # safe: it never left this process
    episode: Episode = unpickler.load()
    return dataclasses.replace(episode, turns=[unpickler.load() for _ in range(turns)])
