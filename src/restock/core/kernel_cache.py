"""Compiled code on disk, in a folder of its own.

numba keeps the code of a function where `numba.config.CACHE_DIR` says, for the whole process. Setting
that for a moment moves the code of whoever compiles in another thread meanwhile; this cache does not
ask for it. It imports numba: import it inside functions.
"""

# mypy: disable-error-code="no-untyped-call,misc"
from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator


class _Locator(_CacheLocator):
    """Where the code of a function is kept, and what says that it is fresh: the name of the folder."""

    def __init__(self, function: Callable[..., Any], folder: Path) -> None:
        self._py_file = function.__code__.co_filename  # named in numba's warnings
        self._line = function.__code__.co_firstlineno
        self._folder = folder

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return self._folder.name

    def get_disambiguator(self) -> str:
        return str(self._line)


class _Contents(CompileResultCacheImpl):
    """What is kept of a function: as numba does it, but for the place."""

    def __init__(self, function: Callable[..., Any], folder: Path) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = _Locator(function, folder)
        name = f"{Path(function.__code__.co_filename).stem}.{function.__qualname__}"
        self._filename_base = self.get_filename_base(name, getattr(sys, "abiflags", ""))


class FolderCache(FunctionCache):
    """The cache of one function in a folder.

    Args:
        function: What is compiled.
        folder: Where its code is kept. The name of the folder must tell the content of all that is compiled.
    """

    def __init__(self, function: Callable[..., Any], folder: Path) -> None:
        self._impl_class = partial(_Contents, folder=folder)
        super().__init__(function)


def keep_in(folder: Path, compiler: Any) -> Any:
    """Make a function of `numba.njit` keep its code in a folder, and return it."""
    compiler._cache = FolderCache(compiler.py_func, folder)
    return compiler
