"""A file for every finished episode."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import gymnasium as gym

from restock.core.checks import whole_number
from restock.core.errors import InvalidInput, nearest, require_extra
from restock.core.trajectory import Trajectory

FORMATS = ("npz", "parquet", "csv")


class EpisodeLog(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """A wrapper that writes the trajectory of each finished episode to a file.

    Files are named PROBLEM-000000.npz and so on, in the order they were finished; a number that is
    taken is passed over, so several processes can write into one folder, and nothing is ever
    overwritten. A file appears whole or not at all. `info["log"]` of the last step names it.

    Args:
        env: Any environment of restock.
        folder: Where to write; made if it is not there.
        every: The first episode is written, and then each `every`-th.
        file_format: `npz` (arrays as they are), `parquet` or `csv` (a row for each period).

    Raises:
        InvalidInput: An argument does not hold, the folder cannot be made, or a package is missing.

    Example:
        >>> import gymnasium as gym, restock, tempfile
        >>> from restock.envs.wrappers import EpisodeLog
        >>> env = EpisodeLog(gym.make("restock/Serial-v0", horizon=1), tempfile.mkdtemp())
        >>> obs, info = env.reset(seed=1)
        >>> *_, info = env.step(env.action_space.sample())
        >>> info["log"].name
        'serial-000000.npz'
    """

    def __init__(self, env: gym.Env[Any, Any], folder: str | Path, every: int = 1, file_format: str = "npz") -> None:
        whole_number("every", every, example=10)
        if not isinstance(file_format, str) or file_format not in FORMATS:
            raise InvalidInput("file_format", file_format, "there is no such format", nearest(file_format, FORMATS))
        if file_format == "parquet":
            require_extra("polars", "data", "Parquet")
        problem = getattr(env.unwrapped, "problem", None)
        if problem is None:
            raise InvalidInput("env", type(env.unwrapped).__name__, "it keeps no trajectory", "Wrap one of restock's.")
        try:
            self.folder = Path(folder)
            self.folder.mkdir(parents=True, exist_ok=True)
        except (OSError, TypeError) as error:
            reason = getattr(error, "strerror", None) or "not a path"
            raise InvalidInput("folder", folder, f"it cannot be made ({reason})", "Name another.") from None
        gym.utils.RecordConstructorArgs.__init__(self, folder=folder, every=every, file_format=file_format)
        gym.Wrapper.__init__(self, env)
        self._name = re.sub(r"[^\w.-]+", "-", problem.name) or "episode"
        self._every = int(every)
        self._format = file_format
        self._finished = 0
        self._number = 0

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Play a period; write the episode if it ended.

        Raises:
            InvalidInput: The file cannot be written.
        """
        obs, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            if self._finished % self._every == 0:
                info["log"] = self._write(self.env.unwrapped.trajectory)  # type: ignore[attr-defined]
            self._finished += 1
        return obs, reward, terminated, truncated, info

    def _write(self, trajectory: Trajectory) -> Path:
        """Write to the first free number.

        The number belongs to whoever makes its `.part` file; where that went wrong for good (a
        crash), the number is passed over.
        """
        while True:
            target = self.folder / f"{self._name}-{self._number:06d}.{self._format}"
            self._number += 1
            part = target.with_name(f".{target.name}.part")
            if target.exists():
                continue
            try:
                part.open("xb").close()
            except FileExistsError:
                continue
            except OSError as error:
                raise _unwritable(target, error) from None
            try:
                if not target.exists():  # else another process finished it in between
                    getattr(trajectory, f"to_{self._format}")(part)
                    os.rename(part, target)
                    return target
            except OSError as error:
                raise _unwritable(target, error) from None
            finally:
                with contextlib.suppress(FileNotFoundError):
                    part.unlink()


def _unwritable(target: Path, error: OSError) -> InvalidInput:
    return InvalidInput("folder", str(target), f"it cannot be written ({error.strerror})", "Name another folder.")
