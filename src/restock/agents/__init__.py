"""Language models as agents: they read a problem in words, decide in JSON, and are judged beside policies."""
