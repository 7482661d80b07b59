"""The heuristics of the gym-invmgmt benchmark as it defines them, quirks included, for comparison.

Source of all: R. Barati, Q. V. Hu (2026), gym-invmgmt: An Open Benchmarking Framework for Inventory
Management Methods, arXiv:2605.11355, and the settings behind its published results.
"""
