"""Benchmarks: frozen suites, a runner that can be killed at any moment, the leaderboard."""
