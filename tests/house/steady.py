"""The tests several times, in random order, on a busy machine: `python -m tests.house.steady --runs 10 [TESTS ...]`.

What leans on time, on the order or on what another test left behind fails sooner or later. Each order can be had
again; the command for that is printed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

# A loop ends with the process that started it, however that ends.
LOOP = """
import os
os.nice(5)
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def busy(loops: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep processors busy meanwhile."""
    running = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(loops)]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


def once(order: int, jobs: int, tests: Sequence[str]) -> int:
    """Run the tests in one order; pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(jobs), "-p", "tests.house.shuffled", *tests]
    return subprocess.run(command, env={**os.environ, "RESTOCK_TEST_ORDER": str(order)}, check=False).returncode


def main() -> int:
    """Run the tests as often as asked for; 1 if they failed once."""
    parser = argparse.ArgumentParser(prog="python -m tests.house.steady", description=__doc__)
    parser.add_argument("tests", nargs="*", help="files and folders; without any: all")
    parser.add_argument("--runs", type=int, default=10, help="how often")
    parser.add_argument("--jobs", type=int, default=2, help="processes that test side by side")
    parser.add_argument("--loops", type=int, default=os.cpu_count() or 1, help="busy loops beside them")
    parser.add_argument("--first", type=int, default=1, help="seed of the first order")
    asked = parser.parse_args()
    failed = []
    with busy(asked.loops):
        for order in range(asked.first, asked.first + asked.runs):
            began = time.monotonic()
            code = once(order, asked.jobs, asked.tests)
            print(f"order {order}: exit code {code} after {time.monotonic() - began:.0f} s", flush=True)
            if code:
                failed.append(order)
    for order in failed:
        again = " ".join(["-n", str(asked.jobs), "-p", "tests.house.shuffled", *asked.tests])
        print(f"failed: RESTOCK_TEST_ORDER={order} python -m pytest {again}")
    print(f"{asked.runs - len(failed)} of {asked.runs} runs passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
