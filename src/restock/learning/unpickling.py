"""Models and statistics saved by stable-baselines3, read without running code in their files.

To unpickle is to call whatever the file names. So only what such files are made of may be named: spaces, arrays and
random generators, the networks of stable-baselines3 and sb3-contrib, layers and optimisers of torch. Of a zip only what
makes its network is read. A file that names more, such as a feature extractor of one's own, has to be trusted.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

from restock.core.trust import ask, trusted

NEEDED = ("policy_class", "policy_kwargs", "observation_space", "action_space", "use_sde")
PICKLED = ":serialized:"  # the key that stable-baselines3 keeps pickled values under
SPACES = ("box.Box", "dict.Dict", "discrete.Discrete", "multi_binary.MultiBinary", "multi_discrete.MultiDiscrete")
BUILDERS = ("multiarray._reconstruct", "multiarray.scalar", "numeric._frombuffer")
GENERATORS = ("_pcg64.PCG64", "_pickle.__generator_ctor", "_pickle.__bit_generator_ctor")
PLAIN = {
    "collections.OrderedDict",
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.random.bit_generator.SeedSequence",
    "numpy.random.bit_generator.__pyx_unpickle_SeedSequence",
    "stable_baselines3.common.running_mean_std.RunningMeanStd",
    "stable_baselines3.common.vec_env.vec_normalize.VecNormalize",
    *(f"gymnasium.spaces.{name}" for name in SPACES),
    *(f"numpy.{core}.{name}" for core in ("core", "_core") for name in BUILDERS),
    *(f"numpy.random.{name}" for name in GENERATORS),
}
LIBRARIES = ("stable_baselines3.", "sb3_contrib.", "torch.nn.modules.", "torch.optim.")  # their networks, optimisers


def model_in(place: str | Path) -> tuple[dict[str, Any], Any]:
    """Return the settings of a saved model's network, and its weights.

    Raises:
        InvalidInput: It brings code of its own and is not trusted.
    """
    import torch

    with zipfile.ZipFile(place) as archive:
        said = json.loads(archive.read("data"))
        with archive.open("policy.pth") as file:
            weights = torch.load(io.BytesIO(file.read()), map_location="cpu", weights_only=True)
    return {name: _value(said[name], place) for name in NEEDED if name in said}, weights


def loaded(content: bytes, field: str, place: str | Path) -> Any:
    """Unpickle what stable-baselines3 has saved.

    Args:
        content: The pickle.
        field: What is read, for errors.
        place: Its file.

    Raises:
        InvalidInput: It names more than such files are made of, and is not trusted.
    """
    return _Reader(content, field, place).load()


def _value(value: Any, place: str | Path) -> Any:
    if not isinstance(value, dict) or PICKLED not in value:
        return value
    return loaded(base64.b64decode(value[PICKLED]), "model", place)


class _Reader(pickle.Unpickler):
    """An unpickler that rejects names that do not belong to such a file."""

    def __init__(self, content: bytes, field: str, place: str | Path) -> None:
        super().__init__(io.BytesIO(content))
        self._field, self._place = field, place

    def find_class(self, module: str, name: str) -> Any:
        """Return the object of a name."""
        if not trusted() and f"{module}.{name}" not in PLAIN and not _is_part(module, name):
            ask(self._field, str(self._place), f"{module}.{name}, which is pickled in it")
        return super().find_class(module, name)


def _is_part(module: str, name: str) -> bool:
    """Return whether a name is that of a network, a layer or an optimiser of the libraries."""
    if not module.startswith(LIBRARIES):
        return False
    from torch import nn, optim

    kind = getattr(importlib.import_module(module), name, None)  # a name with a dot in it is that of no class
    return isinstance(kind, type) and issubclass(kind, (nn.Module, optim.Optimizer))
