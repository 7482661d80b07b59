"""Servers of problems: the OpenEnv protocol, sessions over plain HTTP, and tools for models.

`app.create_app` makes the application, `restock serve` runs it; both need the extra `server`. What needs the
package openenv itself (its environment class and its client) is in `restock.server.openenv`, and nothing here
imports it.
"""
