"""Episodes of a transcript, kept compressed: parsed, they take twenty times the memory of the file."""

from __future__ import annotations

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
        self._packed: list[bytes] = []
        self.seeds: tuple[int, ...] = ()
        for one in episodes:  # a pickle is safe here, for it never leaves the process that wrote it
            self._packed.append(zlib.compress(pickle.dumps(one, pickle.HIGHEST_PROTOCOL), FAST))
            self.seeds += (one.seed,)
        self.size = sum(map(len, self._packed))

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[Episode]:
        return map(self._unpacked, self._packed)

    def __getitem__(self, b: int) -> Episode:  # type: ignore[override]
        return self._unpacked(self._packed[b])

    @staticmethod
    def _unpacked(packed: bytes) -> Episode:
        episode: Episode = pickle.loads(zlib.decompress(packed))
        return episode
