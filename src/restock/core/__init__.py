"""The contract of a problem, and what is generic over it: back ends, streams, trajectories, key figures."""
