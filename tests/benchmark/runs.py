"""Runs of the benchmark in the tests: policies that are slow, noisy or broken, and what a run holds.

A slow policy waits while as many tasks are finished as the file `gate` says, so that a test can stop a run in its
middle however busy the machine is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

POLICIES = """
import os, pathlib, time
import numpy as np
from restock.policies import Policy

class Slow(Policy):
    name = "slow"

    def __init__(self, problem, seconds=0.1, level=10.0, information=None):
        super().__init__(problem, information)
        self.seconds, self.level = seconds, level

    def begin(self, episodes, seed, chance):
        self.dice = np.random.default_rng(seed)
        time.sleep(self.seconds)
        gate = pathlib.Path("gate")
        while gate.exists() and len(list(pathlib.Path("run", "episodes").glob("*.json"))) >= int(gate.read_text()):
            time.sleep(0.01)

    def act(self, view):
        return self.dice.uniform(0.0, self.level, (len(view["on_hand"]), len(self.problem.links)))

class Noisy(Slow):
    name = "noisy"

    def act(self, view):
        print('{"result": "not this"}')
        return super().act(view)

class Broken(Slow):
    name = "broken"

    def act(self, view):
        raise RuntimeError("no idea what to order")

class Shapeless(Slow):
    name = "shapeless"

    def act(self, view):
        return np.zeros(3)

class Gone(Slow):
    name = "gone"

    def act(self, view):
        os.kill(os.getpid(), 9)
"""


def results(folder: Path) -> dict[str, Any]:
    """Everything that the tasks of a run gave, times left out."""
    found = {}
    for path in sorted((folder / "episodes").glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))["data"]
        found[path.name] = {key: value for key, value in data.items() if key != "seconds"}
    return found
