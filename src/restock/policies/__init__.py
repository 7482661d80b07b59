"""Policies: one file each, known by name through the registry."""

from restock.policies._base import Policy, TextPolicy, View

__all__ = ["Policy", "TextPolicy", "View"]
