"""Policies that are trained: pathwise gradients through the dynamics, and what keeps a training run."""
