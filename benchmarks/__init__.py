"""Speed and memory, side by side with gym-invmgmt in one run: `python -m benchmarks`."""
