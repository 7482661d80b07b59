"""Scripted models behind a real endpoint on this machine: to try agents without a model, and to test them."""

PREFIX = "stand-in:"  # of their names
