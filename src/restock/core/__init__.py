"""The contract of a problem, and everything generic: back ends, streams, trajectories, key figures."""
