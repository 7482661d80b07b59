"""The lines of `metrics.jsonl` as events for TensorBoard.

Every restart is a run of its own (`tensorboard/restart-1`), in one file that is only added to. A resumed
run writes the file anew from the lines that count, so no point is there twice. Without the package
tensorboard nothing is written.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TAGS = {
    "profit": "eval/profit",
    "best": "eval/best",
    "standard_error": "eval/standard_error",
    "baseline": "eval/baseline",
    "bound": "eval/bound",
    "above_baseline": "eval/above_baseline",
    "below_bound": "eval/below_bound",
    "training": "rollout/profit",
    "steps_per_second": "time/steps_per_second",
    "cpu_seconds": "time/cpu_seconds",
}
FILE = "events.out.tfevents.restock"  # TensorBoard knows its files by the middle of the name
VERSION = "brain.Event:2"  # of the format, said by the first event of a file


def installed() -> bool:
    """Return whether events are written: the package tensorboard is there."""
    return find_spec("tensorboard") is not None


def add(folder: Path, line: Mapping[str, Any]) -> None:
    """Add the events of one line.

    Args:
        folder: `tensorboard` of a run folder.
        line: Of `metrics.jsonl`.
    """
    if installed():
        _append(folder, [line])


def rewrite(folder: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write the events of these lines and no others."""
    for old in folder.glob(f"*/{FILE}"):
        old.unlink()
    if installed():
        _append(folder, lines)


def _append(folder: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    for line in lines:
        path = folder / f"restart-{int(line.get('restart', 0)) + 1}" / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        when = float(line.get("time", time.time()))
        with path.open("ab") as file:
            writer = RecordWriter(file)
            if not file.tell():
                writer.write(Event(wall_time=when, file_version=VERSION).SerializeToString())
            for name, value in line.items():
                tag = name if "/" in name else TAGS.get(name)
                if tag is None or not isinstance(value, (int, float)) or not math.isfinite(value):
                    continue
                summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                writer.write(Event(wall_time=when, step=int(line["step"]), summary=summary).SerializeToString())
