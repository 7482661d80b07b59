"""The problems as an OpenEnv package: models, environment class and typed client; needs the extra `openenv`.

    from restock.server.openenv.client import RestockEnv

The folder is what `openenv validate` and `openenv serve` are pointed at: `openenv.yaml`, `server/app.py` and a
`Dockerfile` beside it. Nothing else of restock imports it, for the import of openenv takes seconds.
"""
