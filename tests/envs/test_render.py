"""Pictures: they show the state, keep their size, and fit Gymnasium's video and human wrappers."""

from __future__ import annotations

import importlib.util
import itertools
import re
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock.core import errors
from restock.core.scene import Arrow, Place, Scene
from restock.envs import render
from restock.envs.render import canvas
from restock.envs.render.layout import layout
from restock.envs.render.view import money, units
from restock.problems.load import IDS
from restock.problems.network.load import instances


def played(mode: str, steps: int = 9, seed: int = 3, id: str = "restock/Divergent-v0", **kwargs: Any) -> Any:
    env = gym.make(id, render_mode=mode, **kwargs)
    env.reset(seed=seed)
    env.action_space.seed(0)
    for _ in range(steps):
        env.step(env.action_space.sample())
    return env


def graph(columns: int, rows: int) -> dict[str, Any]:
    """A network of `columns` echelons of `rows` nodes each, every node supplied by two."""
    nodes: list[dict[str, Any]] = [{"id": r} for r in range(rows)]
    links = []
    for c in range(1, columns):
        for r in range(rows):
            nodes.append({"id": c * rows + r, "initial_inventory": 50.0, "holding_cost": 0.1})
            for k in {r, (r + 1) % rows}:
                links.append({"from": (c - 1) * rows + k, "to": c * rows + r, "lead_time": (r + c) % 5, "price": 1.0})
    last = (columns - 1) * rows
    markets = [{"from": last + r, "to": 10_000 + r, "price": 3.0, "shortage_cost": 0.5} for r in range(rows)]
    return {"name": f"grid {columns} by {rows}", "nodes": nodes, "links": links, "markets": markets}


# text ---------------------------------------------------------------------------------------------


def test_text_shows_stock_pipeline_and_backlog() -> None:
    env = played("ansi", demand={"mean": 60, "goodwill": True}, steps=12)
    text, now = env.render(), env.unwrapped.trajectory
    assert "period 12 of 30" in text and f"goodwill {now['sentiment'][-1, 0]:.3g}" in text
    assert f"reward {money(now.rewards[-1])}" in text and f"total {money(now.rewards.sum())}" in text
    for label, stock in zip(now.labels("on_hand"), now["on_hand"][-1], strict=True):
        line = next(line for line in text.splitlines() if re.match(rf"{label} +\w", line))
        assert f" {stock:,.1f}".removesuffix(".0") in line
    for label, shipped, moving in zip(now.labels("shipped"), now["shipped"][-1], now["in_transit"][-1], strict=True):
        line = next(line for line in text.splitlines() if line.startswith(label.replace("->", " -> ")))
        assert f"{shipped:,.1f}".removesuffix(".0") in line and f"{moving:,.1f}".removesuffix(".0") in line
    lead = now["shipped"][-1, now.labels("shipped").index("4->2")]
    assert f"8: {lead:,.1f}".removesuffix(".0") in text  # just shipped, arrives in 8 periods
    assert now["backlog"][-1, 0] > 0.0
    last = text.strip().splitlines()[-1].split()
    assert last[-1] == f"{now['backlog'][-1, 0]:,.1f}".removesuffix(".0")


def test_text_says_lost_for_lost_sales() -> None:
    assert "lost" in played("ansi", backlog=False).render()
    assert "backlog" in played("ansi", backlog=True).render()


def test_text_before_the_first_and_after_the_last_period() -> None:
    assert "period 0 of 30   reward -   total 0.00" in played("ansi", steps=0).render()
    assert "end of 30 periods" in played("ansi", steps=30).render()


# images -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instance", instances())
def test_image_keeps_its_size_over_an_episode(instance: str) -> None:
    env = gym.make("restock/Network-v0", instance=instance, render_mode="rgb_array", horizon=12)
    env.reset(seed=1)
    frames = [env.render()]
    for _ in range(12):
        env.step(env.action_space.sample())
        frames.append(env.render())
    assert {frame.shape for frame in frames} == {frames[0].shape}
    assert all(frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3 for frame in frames)
    assert frames[0].shape[0] % 16 == 0 and frames[0].shape[1] % 16 == 0  # sizes that video codecs take
    assert all((a != b).any() for a, b in itertools.pairwise(frames))


def test_image_is_a_function_of_the_state() -> None:
    assert np.array_equal(played("rgb_array").render(), played("rgb_array").render())
    env = played("rgb_array")
    observed = env.unwrapped.observe()
    env.render()
    assert np.array_equal(env.unwrapped.observe(), observed)


def marked(frame: Any, colour: canvas.Colour) -> int:
    """Pixels of exactly this colour."""
    return int((frame == np.array(colour, np.uint8)).all(axis=2).sum())


def test_image_shows_stock_transit_and_shortage() -> None:
    """Each colour appears with what it stands for, and more of it for more."""
    full = played("rgb_array", steps=0).render()
    assert marked(full, canvas.SHORT) == 0
    empty = gym.make("restock/Divergent-v0", render_mode="rgb_array", demand={"mean": 90})
    empty.reset(seed=0)
    for _ in range(8):
        empty.step(np.zeros(11))
    assert marked(empty.render(), canvas.SHORT) > 100  # backlog
    assert marked(empty.render(), canvas.STOCK) < marked(full, canvas.STOCK) - 500
    assert marked(played("rgb_array").render(), canvas.TRANSIT) > marked(full, canvas.TRANSIT) + 500


@pytest.mark.parametrize(("columns", "rows"), [(2, 1), (3, 3), (8, 8), (5, 40), (40, 5), (2, 100)])
def test_image_of_networks_small_and_large(columns: int, rows: int) -> None:
    env = gym.make("restock/Network-v0", instance=graph(columns, rows), render_mode="rgb_array")
    env.reset(seed=0)
    env.step(env.action_space.sample())
    frame = env.render()
    assert 0 < frame.shape[0] <= 2600 and 0 < frame.shape[1] <= 2600
    assert marked(frame, canvas.PAPER) < 0.97 * frame.shape[0] * frame.shape[1]


def test_names_beyond_ascii_and_very_large_numbers() -> None:
    spec = graph(3, 2)
    for k, node in enumerate(spec["nodes"]):
        node["id"] = f"Lager Köln → {k}"
    for link in spec["links"]:
        link["from"], link["to"] = f"Lager Köln → {link['from']}", f"Lager Köln → {link['to']}"
    for market in spec["markets"]:
        market["from"], market["to"] = f"Lager Köln → {market['from']}", "市場"
        market["price"] = 1e9
    spec["nodes"][2]["initial_inventory"] = 1e12
    for mode in ("rgb_array", "ansi"):
        env = gym.make("restock/Network-v0", instance=spec, render_mode=mode, demand={"mean": 1e6})
        env.reset(seed=0)
        env.step(env.action_space.high)
        assert len(env.render()) > 100


def test_a_scene_without_arrows_can_be_drawn() -> None:
    """What a problem that says nothing about its scene gets: its stock."""
    env = played("rgb_array").unwrapped

    class Plain(type(env.problem)):  # type: ignore[misc]
        scene = restock.core.problem.Problem.scene

    env.problem.__class__ = Plain
    view = render.View(env.problem, 9, env._world(), np.ones(9))
    assert [place.name for place in view.scene.places] == ["1", "2", "3", "4", "5", "6"]
    assert render.as_image(view).ndim == 3
    assert "stock" in render.as_text(view)


def test_rendering_needs_an_episode_and_a_mode() -> None:
    for made in (gym.make("restock/Serial-v0", render_mode="ansi").unwrapped, vector("ansi", 2)):
        with pytest.raises(restock.InvalidInput, match="no episode has begun"):
            made.render()
    env = gym.make("restock/Serial-v0").unwrapped
    env.reset()
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None


def test_missing_pillow_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(errors.InvalidInput, match=r"pip install 'restock\[viz\]'"):
        played("rgb_array").render()


def test_names_beyond_ascii_are_drawn_in_the_font_that_is_shipped() -> None:
    face = canvas.font(14, "Łódź".isascii())
    assert Path(face.path).parent == Path(canvas.__file__).parent and face.getname() == ("DejaVu Sans", "Book")
    blank = bytes(face.getmask("\uffff"))
    for letter in "äßéłžøñαωΩЖя→≤≥±€":
        assert bytes(face.getmask(letter)) != blank, letter


# Gymnasium around it -------------------------------------------------------------------------------


def vector(mode: str, n: int, **kwargs: Any) -> Any:
    return gym.make_vec("restock/Serial-v0", num_envs=n, render_mode=mode, **kwargs)


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_rows_of_a_vector_environment(mode: str) -> None:
    """Row i shows what single environment i shows, across an automatic reset."""
    many = vector(mode, 2, horizon=4)
    ones = [gym.make("restock/Serial-v0", render_mode=mode, horizon=4).unwrapped for _ in range(2)]
    many.reset(seed=1)
    for i, one in enumerate(ones):
        one.reset(seed=1 + i)
    many.action_space.seed(0)
    for t in range(7):
        actions = many.action_space.sample()
        many.step(actions)
        for i, one in enumerate(ones):
            if t == 4:
                one.reset()
            else:
                one.step(actions[i])
            assert np.array_equal(many.render()[i], one.render())


@pytest.mark.parametrize("id", IDS)
def test_human_rendering_comes_from_gymnasium(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with pytest.warns(UserWarning, match="HumanRendering wrapper is being applied"):
        asked = gym.make(id, render_mode="human")
    for env in (asked, gym.wrappers.HumanRendering(gym.make(id, render_mode="rgb_array"))):
        assert isinstance(env, gym.wrappers.HumanRendering) and env.render_mode == "human"
        assert env.unwrapped.render_mode == "rgb_array" and env.metadata["render_fps"] > 0
        if importlib.util.find_spec("pygame"):
            env.reset(seed=0)
            env.step(env.action_space.sample())
        env.close()


def test_render_collection_and_every_declared_mode() -> None:
    env = gym.make("restock/Serial-v0", render_mode="rgb_array_list")
    env.reset(seed=0)
    env.step(env.action_space.sample())
    assert len(env.render()) == 2
    assert env.unwrapped.metadata["render_modes"] == ["ansi", "rgb_array"]


def test_record_video(tmp_path: Path) -> None:
    env = gym.make("restock/Serial-v0", render_mode="rgb_array", horizon=3)
    env = gym.wrappers.RecordVideo(env, str(tmp_path / "films"), episode_trigger=lambda k: True, disable_logger=True)
    for _ in range(2):
        env.reset(seed=3)
        for _ in range(3):
            env.step(env.action_space.sample())
    env.close()
    films = sorted(tmp_path.glob("films/*.mp4"))
    assert len(films) == 2 and all(film.stat().st_size > 2000 for film in films)
    from moviepy import VideoFileClip

    with VideoFileClip(str(films[0])) as film:
        frame = played("rgb_array", steps=0, id="restock/Serial-v0", horizon=3).render()
        assert tuple(film.size) == (frame.shape[1], frame.shape[0]) and film.n_frames == 4
        assert np.abs(film.get_frame(0).astype(int) - frame).mean() < 5.0


# parts --------------------------------------------------------------------------------------------


def test_layout_runs_from_sources_to_markets() -> None:
    # 0 -> 1 -> 3 -> 4 (market), 0 -> 2 -> 3, and 5 straight to 3.
    plan = layout(6, ((0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (5, 3)))
    assert plan.columns == (0, 1, 1, 2, 3, 1) and plan.width == 4 and plan.rows == 3
    assert len({plan.heights[1], plan.heights[2], plan.heights[5]}) == 3


def test_layout_keeps_passing_arrows_off_the_boxes() -> None:
    plan = layout(3, ((0, 1), (1, 2), (0, 2)))
    ((column, height),) = plan.ways[2]
    assert column == 1 and height != plan.heights[1]


def test_layout_untangles_what_can_be_untangled() -> None:
    crossed = tuple((k, 5 + (3 * k) % 5) for k in range(5))
    plan = layout(10, crossed)
    rank = sorted(range(5), key=lambda k: plan.heights[k])
    ends = [plan.heights[5 + (3 * k) % 5] for k in rank]
    assert ends == sorted(ends)


def test_every_arrow_of_a_crowded_layout_runs_to_the_right() -> None:
    generator = np.random.default_rng(0)
    arrows = tuple({(int(a), int(b)) for a, b in np.sort(generator.integers(0, 60, (200, 2))) if a < b})
    plan = layout(60, arrows)
    assert all(plan.columns[a] < plan.columns[b] for a, b in arrows)
    for column in range(plan.width):
        heights = [h for c, h in zip(plan.columns, plan.heights, strict=True) if c == column]
        assert len(set(heights)) == len(heights)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.0, "0"), (-0.01, "0"), (7.5, "7.5"), (8.0, "8"), (99.94, "99.9"), (99.96, "100"), (1234.4, "1234"),
     (15_234.0, "15.2k"), (3_140_000.0, "3.14M"), (2e9, "2G"), (1e300, "1e+288T"), (-35.8, "-35.8")],
)  # fmt: skip
def test_quantities_are_short(amount: float, text: str) -> None:
    assert units(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "-"), (0.0, "0.00"), (-0.001, "0.00"), (3.456, "+3.46"), (-1234.5, "-1,234.50"), (123456.7, "+123,457"),
     (2.5e7, "+25M"), (-2.5e7, "-25M")],
)  # fmt: skip
def test_amounts_have_a_sign(amount: float | None, text: str) -> None:
    assert money(amount) == text


def test_scene_adds_up_what_is_in_transit() -> None:
    arrow = Arrow(0, 1, (3.0, 0.0, 4.5))
    assert arrow.in_transit == 7.5 and Scene((Place("a", "source"),), (arrow,)).arrows[0].moved == 0.0
