"""Search for the numbers of a training algorithm, with Optuna: `restock.learning.tuning.tune.tune`."""
