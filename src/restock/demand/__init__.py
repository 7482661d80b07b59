"""Demand: distributions, effects, series, goodwill, and where the random numbers come from."""
