"""Policies: one file each, known by name through the registry."""
