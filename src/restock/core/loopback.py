"""The names of this machine, by which nobody else can be meant."""

from __future__ import annotations

LOOPBACK = ("127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1")
