"""Trained policies: pathwise gradients through the dynamics, and the folder of a training run."""
