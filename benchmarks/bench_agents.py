"""Episodes of an agent side by side: an endpoint that takes a while for every reply, asked with more and more jobs.

python -m benchmarks.bench_agents                    # 16 episodes of a store, 0.2 s a reply, jobs 1 to 16
python -m benchmarks.bench_agents --reply 1.0 --jobs 8,32
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from restock.agents.play import Settings
from restock.agents.run import run_agent
from restock.agents.standins.server import serving
from restock.problems.load import load_problem


class Waiting:
    """Says the same to everything, after a while."""

    name = "waiting"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def speak(self, messages: Any, tools: Any) -> str:
        time.sleep(self.seconds)
        return '{"buy_quantities": {"groceries": 5}}'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="retail-easy")
    parser.add_argument("--episodes", type=int, default=16)
    parser.add_argument("--horizon", type=int, default=10)
    parser.add_argument("--reply", type=float, default=0.2, help="seconds that the endpoint takes for a reply")
    parser.add_argument("--jobs", default="1,2,4,8,16")
    given = parser.parse_args()
    problem = load_problem(given.env, horizon=given.horizon)
    with serving(Waiting(given.reply)) as server:
        asked = {"base_url": server.address, "settings": Settings(history=2)}
        run_agent(problem, "waiting", 1, **asked)  # compiles
        alone = None
        for jobs in map(int, given.jobs.split(",")):
            began = time.perf_counter()
            played = run_agent(problem, "waiting", given.episodes, jobs=jobs, **asked)
            seconds = time.perf_counter() - began
            alone = alone or seconds
            replies = played.lines[-1]["counts"]["replies"]
            print(
                f"jobs {jobs:3}: {seconds:7.1f} s, {replies / seconds:6.1f} replies a second, {alone / seconds:5.2f} x"
            )


if __name__ == "__main__":
    main()
