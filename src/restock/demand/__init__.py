"""Demand: distributions, effects, series, goodwill, and the random numbers behind them."""
