"""Back ends: one text of dynamics, run in many ways.

A text names the operations it needs (`smaller`, `positive`, ...) as globals. To run it elsewhere,
`bind` makes a copy of the function whose globals are another back end's operations. For numba the
bound copies are compiled, and cached on disk in a folder named after the content of every text
that goes into them, so an edit is never missed and a read-only installation still works.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any

from restock.core import kernels, operations

Text = Callable[..., Any]

OPERATIONS: tuple[Text, ...] = (
    operations.smaller, operations.larger, operations.positive, operations.when,
    operations.form_of, operations.reading, operations.read, operations.linear,
)  # fmt: skip
TEMPLATES: tuple[Text, ...] = (kernels.single, kernels.batch, kernels.advance, kernels.shown, kernels.decided)


def bind(text: Text, names: dict[str, Any], suffix: str = "") -> Text:
    """Return a copy of a function whose globals are overlaid with other meanings."""
    function = FunctionType(
        text.__code__, {**text.__globals__, **names}, text.__name__ + suffix, text.__defaults__, text.__closure__
    )
    function.__qualname__ = function.__name__
    return function


def bind_all(texts: Iterable[Text], names: dict[str, Any]) -> dict[str, Any]:
    """Bind texts in order; each sees `names` and the texts bound before it."""
    bound = dict(names)
    for text in texts:
        bound[text.__name__] = bind(text, bound)
    return bound


# numba ------------------------------------------------------------------------------------------


OUTSIDE = "restock_outside_"  # modules that were imported by their path begin so
VIEWS = Path(__file__).with_name("numba_views.py")


def fingerprint(texts: Iterable[Text]) -> str:
    """Return a hash of what the texts say, whatever file they stand in, and of the views they are compiled with."""
    digest = hashlib.sha256(VIEWS.read_bytes())
    fed: set[int] = set()

    def feed(code: CodeType) -> None:
        digest.update(code.co_code)
        digest.update(repr((code.co_names, code.co_varnames)).encode())
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                feed(constant)
            else:  # a set shows its members in another order in every process
                shown = sorted(map(repr, constant)) if isinstance(constant, frozenset) else repr(constant)
                digest.update(str(shown).encode())

    def feed_text(text: Text) -> None:
        if id(text) in fed:
            return
        fed.add(id(text))
        if (text.__module__ or "").startswith(OUTSIDE):  # compiled code names the classes of a text by their module
            digest.update(text.__module__.encode())
        feed(text.__code__)
        inside = [cell.cell_contents for cell in text.__closure__ or ()]
        digest.update(repr((text.__defaults__, [one for one in inside if isinstance(one, (int, float))])).encode())
        for name in text.__code__.co_names:
            value = text.__globals__.get(name)
            if (own := getattr(value, "py_func", None)) is not None:  # what numba compiles on its own
                feed_text(own)
            elif isinstance(value, (int, float, str, tuple)) or type(value).__module__ == "numpy":
                digest.update(f"{name}={value!r}".encode())

    for text in texts:
        feed_text(text)
    return digest.hexdigest()[:16]


def cache_root() -> Path:
    """Return the folder of compiled code: RESTOCK_CACHE_DIR, else the user's cache folder."""
    given = os.environ.get("RESTOCK_CACHE_DIR")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "restock"


def cache_folder(mark: str) -> Path | None:
    """Return the folder for texts with this fingerprint, or None where nothing can be written."""
    try:
        folder = cache_root() / mark
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except (OSError, RuntimeError):
        return None
    return folder


def compile_texts(
    texts: tuple[Text, ...], templates: tuple[Text, ...], name: str, free: bool = False
) -> SimpleNamespace:
    """Compile templates over texts; the result has one attribute a template.

    Compilation itself happens at the first call of each (seconds, then cached on disk).

    Args:
        texts: Functions in order of dependence: laws of chance, then the problem's own.
        templates: Functions of `restock.core.kernels`, or of the same kind.
        name: Marks the compiled variants, so that two problems never share a cache entry.
        free: Whether other threads of Python may run meanwhile: for calls that take milliseconds.
    """
    import numba

    from restock.core.kernel_cache import keep_in
    from restock.core.numba_views import cut, entries, flags_at, floats_at, grid, ints_at, random_double, singles_at

    folder = cache_folder(fingerprint((*OPERATIONS, *texts, *templates)))
    if folder is not None and not any(folder.rglob("*.nbi")) and "RESTOCK_QUIET" not in os.environ:
        message = f"restock: compiling {name} (once, some seconds; kept in {folder})"
        print(message, file=sys.stderr)
    inner: dict[str, Any] = {
        "cut": cut,
        "grid": grid,
        "entries": entries,
        "ints_at": ints_at,
        "floats_at": floats_at,
    }
    inner.update(
        singles_at=singles_at, flags_at=flags_at, random_double=random_double, isfinite=math.isfinite, NAN=math.nan
    )
    # Only templates call the texts: without wrappers for Python and C they compile in half the time.
    inlined = numba.njit(forceinline=True, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
    for text in (*OPERATIONS, *texts):
        inner[text.__name__] = inlined(bind(text, inner, f"_{name}"))
    compiled = SimpleNamespace()
    for template in templates:
        function = bind(template, inner, f"_{name}_free" if free else f"_{name}")
        compiler = numba.njit(_nrt=False, no_cfunc_wrapper=True, nogil=free)(function)
        setattr(compiled, template.__name__, compiler if folder is None else keep_in(folder, compiler))
    return compiled


@cache
def entry(kernel: Any, *arguments: Any) -> Callable[..., Any]:
    """Return the compiled function for these arguments, past numba's look at what they are.

    That look costs as much as a period of a small problem. The caller answers for it in its place:
    a NumPy array must have the type and the number of axes said here (any strides will do). What
    was found once is kept.

    Args:
        kernel: A compiled template.
        arguments: What it takes: `int`, `float`, or (dtype, axes) of an array.
    """
    import numba
    import numpy as np

    numbers = {int: numba.int64, float: numba.float64}
    signature = tuple(
        numbers[given] if given in numbers else numba.types.Array(numba.from_dtype(np.dtype(given[0])), given[1], "A")
        for given in arguments
    )
    if signature not in kernel.overloads:
        found = _from_disk(kernel, signature)
        if found is not None:
            return found
        kernel.compile(signature)
    function: Callable[..., Any] = kernel.overloads[signature].entry_point
    return function


def _from_disk(kernel: Any, signature: tuple[Any, ...]) -> Callable[..., Any] | None:
    """Return the function as an earlier process left it on disk, or None.

    numba would first load all it needs to compile, half of the time to a first step; code that is
    compiled already needs none of it.
    """
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.runtime import rtsys

    load = getattr(kernel._cache, "_load_overload", None)
    if load is None:
        return None
    with global_compiler_lock:
        rtsys.initialize(kernel.targetctx)
        try:
            found = load(signature, kernel.targetctx)
        except Exception:  # a damaged file raises whatever unpickling raises
            with contextlib.suppress(OSError):
                kernel._cache.flush()
            return None
    return None if found is None else found.entry_point


# plain Python and row-wise arrays ------------------------------------------------------------------


def as_lists(world: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the world with lists for arrays: what plain Python runs fastest."""
    import numpy as np

    return tuple(
        type(part)(*(field.tolist() if isinstance(field, np.ndarray) else float(field) for field in part))
        for part in world
    )


def numpy_operations() -> dict[str, Any]:
    """Return the operations elementwise on NumPy arrays: each entity's value is a whole batch."""
    import numpy as np

    return {
        "smaller": np.minimum,
        "larger": np.maximum,
        "positive": lambda a: np.maximum(a, 0.0),
        "when": lambda amount, then, otherwise: np.where(np.asarray(amount) > 0.0, then, otherwise),
    }


def torch_operations() -> dict[str, Any]:
    """Return the operations elementwise on torch tensors, with gradients.

    At a tie the gradient goes to the first argument, as in the plain-Python `a if a < b else b`
    read from the left; a finite difference there has two answers.
    """
    import torch

    def tensor(a: Any, like: Any) -> Any:
        return a if isinstance(a, torch.Tensor) else torch.full_like(like, float(a))

    def pair(a: Any, b: Any) -> tuple[Any, Any]:
        if isinstance(a, torch.Tensor):
            return a, tensor(b, a)
        return (tensor(a, b), b) if isinstance(b, torch.Tensor) else (torch.tensor(a), torch.tensor(b))

    def smaller(a: Any, b: Any) -> Any:
        a, b = pair(a, b)
        return torch.where(a <= b, a, b)

    def larger(a: Any, b: Any) -> Any:
        a, b = pair(a, b)
        return torch.where(a >= b, a, b)

    def positive(a: Any) -> Any:
        return torch.clamp(a, min=0.0) if isinstance(a, torch.Tensor) else max(a, 0.0)

    def when(amount: Any, then: Any, otherwise: Any) -> Any:
        if not isinstance(amount, torch.Tensor):
            return then if amount > 0.0 else otherwise
        return torch.where(amount > 0.0, tensor(then, amount), tensor(otherwise, amount))

    return {"smaller": smaller, "larger": larger, "positive": positive, "when": when}
