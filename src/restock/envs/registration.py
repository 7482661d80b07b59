"""Environment ids, and the factories behind them."""

from __future__ import annotations

from typing import Any

from gymnasium.envs.registration import register, registry

from restock.problems.manifest import ANY, ids

RENDER_MODES = ("ansi", "rgb_array")
METADATA: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": 4}
FORMS = ("action", "observation", "max_order", "render_mode")
VECTOR_FORMS = (*FORMS, "num_envs", "autoreset_mode", "record", "max_episode_steps")


def register_all() -> None:
    """Register every id with `gym.make` and `gym.make_vec`; calling it twice does no harm."""
    for name in (*ids(), ANY):
        if name not in registry:
            register(
                id=name,
                entry_point="restock.envs.registration:make_single",
                vector_entry_point="restock.envs.registration:make_vector",
                kwargs={"env_id": name},  # not `id`: gym.make has an argument of that name
                # The environment checks what it is given itself, and the tests run Gymnasium's checker over every id.
                disable_env_checker=True,
            )


def make_single(env_id: str = "restock/Network-v0", **kwargs: Any) -> Any:
    """Return the environment behind an id.

    Raises:
        InvalidInput: A keyword is unknown or does not hold.
    """
    from restock.envs.single import Environment

    problem, forms = _split(env_id, kwargs, FORMS)
    return Environment(problem, **forms)


# `gym.make` reads the modes here, and puts its HumanRendering around `rgb_array` where `human` is asked for.
make_single.metadata = METADATA  # type: ignore[attr-defined]


def make_vector(env_id: str = "restock/Network-v0", **kwargs: Any) -> Any:
    """Return the native vector environment behind an id.

    Raises:
        InvalidInput: A keyword is unknown or does not hold.
    """
    from restock.envs.vector import VectorEnvironment

    problem, forms = _split(env_id, kwargs, VECTOR_FORMS)
    return VectorEnvironment(problem, **forms)


def _split(env_id: str, kwargs: dict[str, Any], forms: tuple[str, ...]) -> tuple[Any, dict[str, Any]]:
    """Return the problem, and the keywords of the interface."""
    from restock.problems.load import check_keywords, keywords, load_problem, loader_of, place_in

    if env_id == ANY:
        known = ("problem", *loader_of(place_in(kwargs))[0].KEYWORDS)
    else:
        known = tuple(name for name in keywords(env_id) if not (name == "instance" and "instance" in ids()[env_id]))
    check_keywords(kwargs, (*known, *forms))
    about_problem = {name: value for name, value in kwargs.items() if name not in forms}
    return load_problem(env_id, **about_problem), {name: value for name, value in kwargs.items() if name in forms}
