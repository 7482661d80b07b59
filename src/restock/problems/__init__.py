"""The problems; every folder holds the same kinds of files, so reading one teaches all."""
