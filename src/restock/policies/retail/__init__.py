"""Policies of the store."""
