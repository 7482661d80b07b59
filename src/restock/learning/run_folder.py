"""The folder of a training run: all that is needed to go on with it, and to use what it found.

runs/NAME/
  config.yaml          the problem in full, the algorithm and its numbers, the seed, the information level
  versions.json        versions of everything that could change a digit
  metrics.jsonl        one line an evaluation
  checkpoints/last.pt  all that a resumed run goes on from
  checkpoints/best.pt  the policy: the best on held-out paths so far
  checkpoints.json     the SHA-256 of both
  result.json          what the finished run came to

Every file is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from restock.core.errors import InvalidInput
from restock.core.reading import read_text, read_yaml
from restock.core.writing import write_whole

FORMAT = 1
LAST, BEST = "last.pt", "best.pt"


class RunFolder:
    """A training run on disk.

    Args:
        path: The folder; it need not be there yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.path.resolve().name

    @property
    def begun(self) -> bool:
        """Whether there is a run in the folder."""
        return (self.path / "config.yaml").is_file()

    # configuration ----------------------------------------------------------------------------------

    def begin(self, config: Mapping[str, Any], versions: Mapping[str, str]) -> None:
        """Write what the run is.

        Raises:
            InvalidInput: There is another run in the folder, or it cannot be written.
        """
        if self.begun:
            if dict(self.config()) != dict(config):
                mend = "Name another folder, or delete this one."
                raise InvalidInput("out", str(self.path), "there is another run in this folder", mend)
            return
        self._write("versions.json", json.dumps(dict(versions), indent=2) + "\n")
        self._write("metrics.jsonl", "")
        self._write("config.yaml", yaml.safe_dump(dict(config), sort_keys=False, width=120))

    def config(self) -> Mapping[str, Any]:
        """What the run is.

        Raises:
            InvalidInput: There is no run in the folder, it is damaged, or of another format.
        """
        if not self.begun:
            mend = "Make one: restock train PROBLEM --out FOLDER."
            raise InvalidInput("run", str(self.path), "there is no training run in this folder", mend)
        config = read_yaml(self.path / "config.yaml")
        if config.get("format") != FORMAT:
            problem = f"this run is of format {config.get('format')}, not {FORMAT}"
            raise InvalidInput("run", str(self.path), problem, "Train again.")
        return config

    # checkpoints ----------------------------------------------------------------------------------

    def save(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a checkpoint, and its hash.

        Args:
            name: `LAST` or `BEST`.
            content: Tensors, numbers, texts, and lists and dictionaries of them.
        """
        import torch

        buffer = io.BytesIO()
        torch.save(dict(content), buffer)
        data = buffer.getvalue()
        # The hash comes before its file, beside the one of the file that is there: a stop between
        # the two leaves a file that is known.
        hashes = self._hashes()
        hashes[name] = [hashlib.sha256(data).hexdigest(), *hashes.get(name, [])[:1]]
        self._write("checkpoints.json", json.dumps(hashes, indent=2) + "\n")
        write_whole(self.path / "checkpoints" / name, lambda path: path.write_bytes(data))

    def load(self, name: str) -> dict[str, Any]:
        """A checkpoint.

        Raises:
            InvalidInput: It is missing, or does not hold what was written.
        """
        import torch

        path = self.path / "checkpoints" / name
        try:
            data = path.read_bytes()
        except OSError:
            mend = f"Go on with the training: restock train --resume {self.path}."
            raise InvalidInput("checkpoint", str(path), "it is missing", mend) from None
        if hashlib.sha256(data).hexdigest() not in self._hashes().get(name, []):
            raise _damaged(path, "its content is not what was written (SHA-256)")
        try:
            content: dict[str, Any] = torch.load(io.BytesIO(data), weights_only=True)
        except Exception as error:  # whatever unpickling raises
            raise _damaged(path, f"it cannot be read ({type(error).__name__})") from None
        return content

    def has(self, name: str) -> bool:
        """Whether there is such a checkpoint."""
        return (self.path / "checkpoints" / name).is_file()

    def _hashes(self) -> dict[str, list[str]]:
        path = self.path / "checkpoints.json"
        if not path.is_file():
            return {}
        try:
            return {name: list(known) for name, known in json.loads(read_text(path, "run", "JSON")).items()}
        except (ValueError, AttributeError, TypeError):
            raise _damaged(path, "it is not JSON") from None

    # figures ----------------------------------------------------------------------------------------

    def record(self, line: Mapping[str, Any]) -> None:
        """Add one line to the metrics."""
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(dict(line)) + "\n")

    def metrics(self) -> list[dict[str, Any]]:
        """The lines written so far.

        Raises:
            InvalidInput: One of them is damaged.
        """
        path = self.path / "metrics.jsonl"
        text = read_text(path, "run", "JSON lines") if path.is_file() else ""
        try:
            return [json.loads(line) for line in text.splitlines()]
        except ValueError:
            raise _damaged(path, "a line is not JSON") from None

    def keep(self, count: int) -> None:
        """Drop the metrics after the first `count` lines: a resumed run writes them again."""
        path = self.path / "metrics.jsonl"
        lines = (read_text(path, "run", "JSON lines") if path.is_file() else "").splitlines(keepends=True)
        self._write("metrics.jsonl", "".join(lines[:count]))

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write what the run came to."""
        self._write("result.json", json.dumps(dict(result), indent=2) + "\n")

    def result(self) -> dict[str, Any] | None:
        """What the finished run came to; None while it is not finished.

        Raises:
            InvalidInput: It is damaged.
        """
        path = self.path / "result.json"
        if not path.is_file():
            return None
        try:
            found: dict[str, Any] = json.loads(read_text(path, "run", "JSON"))
        except ValueError:
            raise _damaged(path, "it is not JSON") from None
        return found

    def _write(self, name: str, text: str) -> None:
        write_whole(self.path / name, lambda path: path.write_text(text, encoding="utf-8"))


def free_name(problem: str, algo: str, seed: int) -> str:
    """What a run is called unless it is told."""
    return re.sub(r"[^\w.-]+", "-", f"{problem}-{algo}-{seed}")


def _damaged(path: Path, why: str) -> InvalidInput:
    return InvalidInput("checkpoint", str(path), f"this file is damaged: {why}", "Train again, or restore the folder.")
