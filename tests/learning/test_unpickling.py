"""Models and statistics from files: what they bring is not run."""

from __future__ import annotations

import base64
import contextlib
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import restock
from restock.core.errors import InvalidInput
from restock.core.trust import trusting
from restock.learning import unpickling
from restock.learning.models import network_at

stable = pytest.importorskip("stable_baselines3")
contrib = pytest.importorskip("sb3_contrib")
torch = pytest.importorskip("torch")


class Leaving:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


class Extractor(stable.common.torch_layers.FlattenExtractor):  # type: ignore[misc]
    """A part of a network that is nobody's but the user's."""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as stable-baselines3 saves it."""
    path = tmp_path_factory.mktemp("saved") / "model.zip"
    stable.PPO("MlpPolicy", gym.make("restock/Serial-v0"), device="cpu").save(path)
    return path


def infected(saved: Path, path: Path, mark: Path, key: str) -> Path:
    """The model with something else pickled under a key."""
    with zipfile.ZipFile(saved) as there, zipfile.ZipFile(path, "w") as new:
        for name in there.namelist():
            content = there.read(name)
            if name == "data":
                data = json.loads(content)
                data[key] = {unpickling.PICKLED: base64.b64encode(pickle.dumps(Leaving(mark))).decode()}
                content = json.dumps(data).encode()
            new.writestr(name, content)
    return path


@pytest.mark.parametrize("key", [*unpickling.NEEDED, "lr_schedule", "whatever"])
def test_a_model_that_was_sent_runs_nothing(saved: Path, tmp_path: Path, key: str) -> None:
    place, mark = infected(saved, tmp_path / "sent.zip", tmp_path / "mark", key), tmp_path / "mark"
    if key in unpickling.NEEDED:
        for call in (
            lambda: restock.as_policy(str(place), "serial"),
            lambda: restock.make_policy("restock.learning.adapted:Adapted", "serial", model=str(place)),
        ):
            with pytest.raises(InvalidInput, match=r"model = .*this would run pathlib\.\w*\.?Path\.touch.*--trust"):
                call()
        assert not mark.exists()
        with contextlib.suppress(InvalidInput):  # what is pickled in it makes no network
            restock.as_policy(str(place), "serial", trust=True)
        assert mark.exists()
    else:  # it is not read
        assert restock.as_policy(str(place), "serial").name == "adapted" and not mark.exists()


def test_statistics_that_were_sent_run_nothing(saved: Path, tmp_path: Path) -> None:
    place, mark = tmp_path / "sent.pkl", tmp_path / "mark"
    place.write_bytes(pickle.dumps(Leaving(mark)))
    with pytest.raises(InvalidInput, match=r"statistics = .*would run"):
        restock.as_policy(str(saved), "serial", statistics=str(place))
    assert not mark.exists()


@pytest.mark.parametrize(
    "name",
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("numpy", "load"),
        ("torch", "load"),
        ("torch.nn.modules.module", "Module.load_state_dict"),
        ("stable_baselines3.common.policies", "BasePolicy.load"),
        ("stable_baselines3.common.save_util", "load_from_pkl"),
        ("stable_baselines3.common.policies", "os"),
        ("restock.core.places", "module_at"),
    ],
)
def test_only_what_such_files_are_made_of_may_be_named(name: tuple[str, str]) -> None:
    reader = unpickling._Reader(b"", "model", "sent.zip")
    with pytest.raises(InvalidInput, match="would run"):
        reader.find_class(*name)


@pytest.mark.parametrize(
    ("kind", "policy", "form", "numbers"),
    [
        (stable.PPO, "MultiInputPolicy", {"observation": "dict"}, {"policy_kwargs": {"activation_fn": torch.nn.ELU}}),
        (stable.PPO, "MlpPolicy", {"action": "multidiscrete"}, {}),
        (stable.PPO, "MlpPolicy", {}, {"use_sde": True}),
        (stable.A2C, "MlpPolicy", {}, {"policy_kwargs": {"optimizer_class": torch.optim.SGD}}),
        (stable.SAC, "MlpPolicy", {"action": "normalized"}, {}),
        (stable.TD3, "MlpPolicy", {"action": "normalized"}, {}),
        (stable.DQN, "MlpPolicy", {"action": "discrete"}, {}),
        (contrib.TQC, "MlpPolicy", {"action": "normalized"}, {}),
        (contrib.RecurrentPPO, "MlpLstmPolicy", {}, {}),
        (contrib.MaskablePPO, "MlpPolicy", {"action": "multidiscrete"}, {}),
    ],
)
def test_models_of_the_libraries_are_read_as_they_were_saved(
    tmp_path: Path, kind: Any, policy: str, form: dict[str, Any], numbers: dict[str, Any]
) -> None:
    model = kind(policy, gym.make("restock/Serial-v0", **form), device="cpu", seed=1, **numbers)
    model.save(tmp_path / "model.zip")
    network = network_at(tmp_path / "model.zip")
    assert type(network) is type(model.policy) and network.observation_space == model.observation_space
    ours, theirs = network.state_dict(), model.policy.state_dict()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_network_with_parts_of_ones_own_is_trusted_or_refused(tmp_path: Path) -> None:
    keywords = {"policy_kwargs": {"features_extractor_class": Extractor}}
    stable.PPO("MlpPolicy", gym.make("restock/Serial-v0"), device="cpu", **keywords).save(tmp_path / "own.zip")
    place = str(tmp_path / "own.zip")
    with pytest.raises(InvalidInput, match=r"would run .*Extractor, which is pickled in it"):
        restock.as_policy(place, "serial")
    assert restock.as_policy(place, "serial", trust=True).name == "adapted"
    with trusting():
        assert restock.as_policy(place, "serial").name == "adapted"
