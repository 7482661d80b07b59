"""Hyper-parameter search for training algorithms, with Optuna: `restock.learning.tuning.tune.tune`."""
