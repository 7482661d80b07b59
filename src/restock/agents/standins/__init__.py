"""Scripted models behind a real endpoint on this machine, for trying and testing agents without a model."""

PREFIX = "stand-in:"  # of their names
