"""Gymnasium environments of every problem: single, vectorised, rendered, wrapped."""
