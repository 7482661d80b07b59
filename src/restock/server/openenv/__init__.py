"""The problems as an OpenEnv package: models, environment class and typed client; needs the extra `openenv`.

    from restock.server.openenv.client import RestockEnv

`space` is the template of the folder that `restock package` writes: manifest, Dockerfile, front matter of a Space.
Nothing else of restock imports any of it but `packing`, for the import of openenv takes seconds.
"""
