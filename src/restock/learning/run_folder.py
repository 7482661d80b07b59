"""The folder of a training run: everything needed to resume it and to use its policy.

runs/NAME/
  config.yaml          the problem in full, the algorithm and its numbers, the seed, the information level
  versions.json        versions of everything that could change a digit
  metrics.jsonl        one line an evaluation (see `metrics.FIELDS`)
  metrics.csv          the same as a table, written with the report
  tensorboard/         the same as events, where the package tensorboard is installed
  checkpoints/last.pt  all that a resumed run goes on from
  checkpoints/best.pt  the policy: the best on held-out paths so far
  checkpoints.json     the SHA-256 of both, and of what the configuration says
  snapshots/           one held-out episode at some of the evaluations
  result.json          what the finished run came to
  evaluation/          episodes of the best policy on fresh paths, their summary, stocks (see `evaluation`)
  report.html          all of it on one page (see `restock.report.training`)
  lock                 held by the process that trains

Every file is written whole or not at all, but for the metrics and the events, which are added to: what a
stop has left half written there, a resumed run drops.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from restock.core.errors import InvalidInput
from restock.core.holding import held
from restock.core.problem import Array
from restock.core.reading import read_text, read_yaml
from restock.core.trust import refuse_code
from restock.core.writing import write_whole
from restock.learning import events, metrics, snapshots
from restock.learning.metrics import damaged

FORMAT = 1
LAST, BEST = "last.pt", "best.pt"
NEEDED = ("algo", "seed", "information", "training", "regimes", "problem")  # of every configuration
FORMS = ("architecture", "preparation")  # one of them too


class RunFolder:
    """The folder of a training run.

    Args:
        path: The folder; it need not be there yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._profits: list[float] | None = None  # of the lines written so far

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.path.resolve().name

    @property
    def begun(self) -> bool:
        """Whether there is a run in the folder."""
        return (self.path / "config.yaml").is_file()

    # configuration ----------------------------------------------------------------------------------

    def finished(self, config: Mapping[str, Any]) -> dict[str, Any] | None:
        """The result of the run, if it is finished.

        Raises:
            InvalidInput: There is another run in the folder, or it is damaged.
        """
        self._check(config)
        return self.result()

    @contextmanager
    def begun_by(self, config: Mapping[str, Any], versions: Mapping[str, str]) -> Iterator[None]:
        """Begin or resume the run, and lock the folder against other processes meanwhile.

        Raises:
            InvalidInput: Another process trains in it, there is another run in it, or it cannot be written.
        """
        with held(self.path, "out", "Wait for it, stop it, or name another folder."):
            self.begin(config, versions)
            yield

    def begin(self, config: Mapping[str, Any], versions: Mapping[str, str]) -> None:
        """Write the configuration of the run; if it was begun already, prepare to resume it.

        Raises:
            InvalidInput: There is another run in the folder, or it cannot be written.
        """
        if self.begun:
            self._check(config)
            if not self.has(LAST):  # it was stopped before its first checkpoint, or is a configuration alone
                self._write("versions.json", json.dumps(dict(versions), indent=2) + "\n")
                self.keep(0)
            return
        self._write("versions.json", json.dumps(dict(versions), indent=2) + "\n")
        self._write("metrics.jsonl", "")
        self._write("config.yaml", yaml.safe_dump(dict(config), sort_keys=False, width=120))

    def config(self) -> Mapping[str, Any]:
        """Return the configuration of the run.

        Raises:
            InvalidInput: There is no run in the folder, it is damaged, or of another format; or it names code and is
                not trusted.
        """
        config = self._written()
        refuse_code(config, self.path / "config.yaml")
        return config

    def _written(self) -> Mapping[str, Any]:
        """Return the text of the configuration, for comparison only: it may name code."""
        if not self.begun:
            mend = "Make one: restock train PROBLEM --out FOLDER."
            raise InvalidInput("run", str(self.path), "there is no training run in this folder", mend)
        config = read_yaml(self.path / "config.yaml", runs=False)
        if config.get("format") != FORMAT:
            problem = f"this run is of format {config.get('format')}, not {FORMAT}"
            raise InvalidInput("run", str(self.path), problem, "Train again.")
        missing = [name for name in NEEDED if name not in config]
        missing += [" or ".join(FORMS)] if not any(name in config for name in FORMS) else []
        if missing:
            raise damaged(self.path / "config.yaml", f"it does not say {', '.join(missing)}")
        known = self._hashes().get("config.yaml")
        if known is not None and _hash_of(config) not in known:
            raise damaged(self.path / "config.yaml", "it is not what the checkpoints were made with (SHA-256)")
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
        hashes, path = self._hashes(), self.path / "checkpoints" / name
        there = [hashlib.sha256(path.read_bytes()).hexdigest()] if path.is_file() else []
        hashes[name] = [hashlib.sha256(data).hexdigest(), *there]
        if "config.yaml" not in hashes and self.begun:
            hashes["config.yaml"] = [_hash_of(self._written())]
        self._write("checkpoints.json", json.dumps(hashes, indent=2) + "\n")
        with self._writing():
            write_whole(path, lambda path: path.write_bytes(data))

    def load(self, name: str) -> dict[str, Any]:
        """Return a checkpoint.

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
            raise damaged(path, "its content is not what was written (SHA-256)")
        try:
            content: dict[str, Any] = torch.load(io.BytesIO(data), weights_only=True)
        except Exception as error:  # whatever unpickling raises
            raise damaged(path, f"it cannot be read ({type(error).__name__})") from None
        return content

    def has(self, name: str) -> bool:
        """Return whether there is such a checkpoint."""
        return (self.path / "checkpoints" / name).is_file()

    def _hashes(self) -> dict[str, list[str]]:
        path = self.path / "checkpoints.json"
        if not path.is_file():
            return {}
        try:
            return {name: list(known) for name, known in json.loads(read_text(path, "run", "JSON")).items()}
        except (ValueError, AttributeError, TypeError):
            raise damaged(path, "it is not JSON") from None

    # figures ----------------------------------------------------------------------------------------

    def record(self, line: Mapping[str, Any], episode: Mapping[str, Array] | None = None) -> None:
        """Add one line to the metrics, the same to the events, and maybe a snapshot.

        Args:
            line: What an evaluation found, see `metrics.FIELDS`; names with a slash are the algorithm's own.
            episode: A held-out episode under the policy as it is now, by name.

        Raises:
            InvalidInput: It cannot be written.
        """
        if self._profits is None:
            self._profits = _profits(self.metrics())
        known = metrics.line_of(line)
        with self._writing():
            metrics.append(self._metrics, known)
            events.add(self.path / "tensorboard", known)
        self._profits += _profits([known])
        if episode is not None:
            about = int(known["restart"]), int(known["step"]), float(known.get("profit", math.nan))
            snapshot = snapshots.Snapshot(len(self._profits), *about, episode)
            with self._writing():
                best = len(self._profits) - int(np.nanargmax(self._profits[::-1]))  # the last of those that are best
                snapshots.add(self.path / "snapshots", snapshot, best)

    def record_start(self, episode: Mapping[str, Array]) -> None:
        """Keep the episode under the policy before training."""
        with self._writing():
            snapshots.add(self.path / "snapshots", snapshots.Snapshot(0, 0, 0, math.nan, episode), 0)

    def snapshots(self) -> list[snapshots.Snapshot]:
        """Return the episodes that were kept.

        Raises:
            InvalidInput: One is damaged.
        """
        return snapshots.read(self.path / "snapshots")

    def metrics(self) -> list[dict[str, Any]]:
        """Return the lines written so far.

        Raises:
            InvalidInput: One of them is damaged.
        """
        return metrics.read(self._metrics)

    def keep(self, count: int) -> None:
        """Drop what was recorded after the first `count` evaluations: a resumed run records it again.

        Raises:
            InvalidInput: There are fewer, or one of them is damaged.
        """
        lines = metrics.read(self._metrics, count)
        if len(lines) < count:
            raise damaged(self._metrics, f"it has {len(lines)} lines, the checkpoint knows of {count}")
        self._write("metrics.jsonl", metrics.text_of(lines))
        self._profits = _profits(lines)
        with self._writing():
            events.rewrite(self.path / "tensorboard", lines)
            snapshots.drop(self.path / "snapshots", count)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write what the run came to."""
        self._write("result.json", json.dumps(dict(result), indent=2) + "\n")

    def result(self) -> dict[str, Any] | None:
        """Return the result of the finished run; None while it is not finished.

        Raises:
            InvalidInput: It is damaged.
        """
        path = self.path / "result.json"
        if not path.is_file():
            return None
        try:
            found: dict[str, Any] = json.loads(read_text(path, "run", "JSON"))
        except ValueError:
            raise damaged(path, "it is not JSON") from None
        return found

    def _check(self, config: Mapping[str, Any]) -> None:
        """Check that the run in the folder, if there is one, is this one."""
        if self.begun and dict(self._written()) != dict(config):
            mend = "Name another folder, or delete this one."
            raise InvalidInput("out", str(self.path), "there is another run in this folder", mend)

    @property
    def _metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    def _write(self, name: str, text: str) -> None:
        with self._writing():
            write_whole(self.path / name, lambda path: path.write_text(text, encoding="utf-8"))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Explain how to resume if something cannot be written (a full disk): what was kept is still there."""
        mend = (
            f"Correct that, then resume: restock train --resume {self.path}."
            if self.begun
            else "Choose another folder."
        )
        try:
            yield
        except InvalidInput as error:
            raise InvalidInput(error.field, error.value, error.problem, mend) from None
        except OSError as error:
            what = f"it cannot be written ({error.strerror or error})"
            raise InvalidInput("path", str(error.filename or self.path), what, mend) from None


def free_name(problem: str, algo: str, seed: int) -> str:
    """Return the default name of a run."""
    return re.sub(r"[^\w.-]+", "-", f"{problem}-{algo}-{seed}")


def _profits(lines: Iterable[Mapping[str, Any]]) -> list[float]:
    return [float(line.get("profit", math.nan)) for line in lines]


def _hash_of(config: Mapping[str, Any]) -> str:
    """Return a hash of the contents, whatever the file's layout."""
    return hashlib.sha256(json.dumps(dict(config), sort_keys=True).encode()).hexdigest()
