"""Exact optima and bounds; they read problems, never environments."""
