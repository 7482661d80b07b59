"""The folder that `restock package` writes is all that OpenEnv's tools, Docker and a Space need."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from openenv.cli import __main__ as openenv
from openenv.cli._cli_utils import validate_env_structure
from openenv.cli._validation import get_deployment_modes, validate_multi_mode_deployment, validate_running_environment
from openenv.cli.commands import push
from openenv.core import GenericEnvClient
from typer.testing import CliRunner

import restock
from restock.problems.load import shipped
from restock.server.openenv.models import models_for
from restock.server.openenv.packing import packed
from tests.cli.running import run

PATIENCE = 120.0  # seconds, for a first compilation


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command writes for the easy store."""
    path = tmp_path_factory.mktemp("packed") / "restock_env"
    told = run("package", "easy", "-o", str(path), "--json")
    assert told.code == 0, told.err
    assert {"Dockerfile", "README.md", "openenv.yaml", "pyproject.toml", "server/app.py"} <= set(told.document["files"])
    return path


@pytest.fixture(scope="module")
def installed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install FOLDER` puts among the packages, but for what it fetches."""
    source = tmp_path_factory.mktemp("source") / "restock"  # the image names it so
    shutil.copytree(folder, source)
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=source, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    packages = tmp_path_factory.mktemp("packages")
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(packages)
    return packages


def instructions(folder: Path) -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, lines that go on joined."""
    text = re.sub(r"^#.*\n", "", (folder / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)
    lines = [line for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line.strip()]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def environment(packages: Path, folder: Path) -> dict[str, str]:
    """That of the image: its variables, and restock from what was installed."""
    given = dict(pair.split("=", 1) for kind, rest in instructions(folder) if kind == "ENV" for pair in rest.split())
    return {**os.environ, **given, "PYTHONPATH": str(packages)}


def front_matter(folder: Path) -> dict[str, Any]:
    """What a Space reads of a README."""
    found: dict[str, Any] = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    return found


@contextlib.contextmanager
def started(folder: Path, packages: Path, cwd: Path) -> Iterator[str]:
    """The server, started as the image starts it, at a free port; its address."""
    command = json.loads(next(rest for kind, rest in reversed(instructions(folder)) if kind == "CMD"))
    (entries,) = packages.glob("*.dist-info/entry_points.txt")
    module, _, name = re.findall(rf"^{command[0]} = (.*)$", entries.read_text(encoding="utf-8"), re.M)[0].partition(":")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [str(port) if word == "8000" else word for word in command[1:]]
    code = f"import sys; from {module} import {name}; sys.argv = {[command[0], *arguments]}; {name}()"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=cwd, env=environment(packages, folder))
    url, late = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    try:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(url + "/health", trust_env=False).status_code == 200:
                    break
            assert process.poll() is None and time.monotonic() < late
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(30.0)


def test_it_has_the_structure_that_openenv_asks_for(folder: Path) -> None:
    assert validate_env_structure(folder) == ["Recommended directory missing: outputs/"]
    assert validate_multi_mode_deployment(folder)[1] == ["Missing uv.lock - run 'uv lock' to generate it"]
    (folder / "uv.lock").touch()
    assert validate_multi_mode_deployment(folder) == (True, []) and all(get_deployment_modes(folder).values())
    (folder / "uv.lock").unlink()


@pytest.mark.parametrize("asked", [["--level", "static", "--skip-build"], []], ids=["static", "all"])
def test_the_validator_passes(folder: Path, asked: list[str]) -> None:
    """All it can check without a daemon of Docker; what needs one it skips."""
    done = CliRunner().invoke(openenv.app, ["validate", *asked, str(folder)])
    assert done.exit_code == 0 and "FAIL " not in done.output, done.output


@pytest.mark.parametrize("task", ["production", "divergent", "sharing", "minimal"])
def test_the_validator_passes_for_other_tasks(task: str, tmp_path: Path) -> None:
    path = tmp_path / "env"
    assert run("package", task, "-o", str(path), "-q").code == 0
    done = CliRunner().invoke(openenv.app, ["validate", "--level", "static", "--skip-build", str(path)])
    assert "Verdict: PASS" in done.output, done.output
    texts = "".join(file.read_text(encoding="utf-8") for file in path.glob("*.*"))
    assert "Retail" not in texts and "{{" not in texts


def test_openenv_build_finds_what_it_needs(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a program in place of docker that lists what it is given: no daemon is needed."""
    docker = tmp_path / "docker"
    docker.write_text(
        f"#!{sys.executable}\nimport json, os, sys\ncontext = sys.argv[-1]\n"
        f"json.dump([sys.argv[1:], sorted(os.listdir(context))], open({str(tmp_path / 'asked')!r}, 'w'))\n"
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    done = CliRunner().invoke(openenv.app, ["build", str(folder)])
    assert done.exit_code == 0, done.output
    asked, context = json.loads((tmp_path / "asked").read_text())
    assert asked[:3] == ["build", "-t", "openenv-restock"] and asked[asked.index("-f") + 1].endswith("env/Dockerfile")
    assert context == sorted(path.name for path in folder.iterdir())


def test_openenv_push_uploads_a_space(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With something in place of the hub that keeps what is uploaded."""
    asked: dict[str, Any] = {}

    class Hub:
        def create_repo(self, **given: Any) -> None:
            asked.update(given)

        def upload_folder(self, folder_path: str, **given: Any) -> None:
            shutil.copytree(folder_path, tmp_path / "space")

    monkeypatch.setattr(push, "HfApi", Hub)
    monkeypatch.setattr(push, "whoami", lambda: {"name": "me"})
    done = CliRunner().invoke(openenv.app, ["push", str(folder)])
    assert done.exit_code == 0, done.output
    assert (asked["repo_id"], asked["space_sdk"]) == ("me/restock", "docker")
    space = tmp_path / "space"
    there = {path.relative_to(space) for path in space.rglob("*") if path.is_file()}
    whole = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.name != ".dockerignore"}
    assert there == whole
    assert [kind for kind, _ in instructions(space)].count("CMD") == 1 and front_matter(space) == front_matter(folder)
    assert (space / "README.md").read_bytes() == (folder / "README.md").read_bytes()


def test_a_space_knows_how_to_run_it(folder: Path) -> None:
    told = front_matter(folder)
    assert {"title", "emoji", "colorFrom", "colorTo", "license"} <= set(told) and "openenv" in told["tags"]
    assert (told["sdk"], told["app_port"], told["base_path"]) == ("docker", 8000, "/web")
    manifest = yaml.safe_load((folder / "openenv.yaml").read_text(encoding="utf-8"))
    assert (manifest["port"], manifest["version"]) == (told["app_port"], restock.__version__)
    by_kind = {kind: rest for kind, rest in instructions(folder)}
    assert by_kind["EXPOSE"] == "8000" and json.loads(by_kind["CMD"])[-2:] == ["--port", "8000"]


def test_what_the_dockerfile_names_is_there(folder: Path) -> None:
    for kind, rest in instructions(folder):
        if kind in ("COPY", "ADD"):
            assert all((folder / source).exists() for source in shlex.split(rest)[:-1]), rest
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    command = json.loads(next(rest for kind, rest in reversed(instructions(folder)) if kind == "CMD"))
    assert command[0] in project["scripts"] and project["version"] == restock.__version__
    names = {re.split(r"[<>=!~\[ ]", line)[0].lower() for line in project["dependencies"]}
    assert {"numpy", "numba", "highspy", "pydantic", "fastapi", "uvicorn", "jinja2", "websockets", "openenv"} <= names
    assert "pytest" not in names and "restock" not in names  # the folder holds it
    assert "MIT License" in (folder / "LICENSE").read_text(encoding="utf-8")


def test_what_it_compiles_ahead_compiles(folder: Path, installed: Path, tmp_path: Path) -> None:
    (command,) = [json.loads(rest) for kind, rest in instructions(folder) if kind == "RUN" and rest.startswith("[")]
    assert "retail-easy" in command[-1]
    done = subprocess.run(
        [sys.executable, *command[1:]], cwd=tmp_path, env=environment(installed, folder), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_server_of_the_image_passes_the_published_checks(folder: Path, installed: Path, tmp_path: Path) -> None:
    """A reset answers 200, the validator passes, and an episode is played to the end."""
    with started(folder, installed, tmp_path) as url:
        told = httpx.post(url + "/reset", json={}, trust_env=False)
        assert told.status_code == 200 and told.json()["observation"]["updated_inventory"]["toys"] == [[10, None]]
        report = validate_running_environment(url, timeout_s=30.0)
        assert report["passed"] and report["summary"]["passed_count"] == 6
        assert httpx.get(url + "/web", trust_env=False).status_code == 200
        with GenericEnvClient(base_url=url).sync() as client:
            result, days = client.reset(), 0
            while not result.done:
                result, days = client.step({"buy_quantities": {"toys": 1}}), days + 1
        assert days == 30


def test_the_application_is_where_the_manifest_says(folder: Path, tmp_path: Path) -> None:
    module, _, name = yaml.safe_load((folder / "openenv.yaml").read_text(encoding="utf-8"))["app"].partition(":")
    code = f"import restock, {module} as m; print(m.{name}.title, restock.__file__)"
    env = {**os.environ, "PYTHONPATH": str(folder)}  # as an editable install of `uv run --project` has it
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    title, place = done.stdout.split()
    assert title == "restock" and Path(place).is_relative_to(folder), done.stderr


def test_openenv_discovers_what_is_installed(installed: Path, tmp_path: Path) -> None:
    code = (
        "from openenv import AutoAction, AutoEnv\n"
        "print(AutoEnv.get_env_class('restock').__name__, AutoAction.from_env('restock').__name__)"
    )
    env = {**os.environ, "PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.split() == ["RestockEnv", "RetailAction"], done.stdout + done.stderr


def test_the_names_of_models_follow_the_kind_of_problem() -> None:
    for name in shipped():
        problem = restock.load_problem(name)
        action, observation = models_for(problem)
        client = packed(name)["client.py"].decode()
        assert f"import {action.__name__} " in client and f"import {observation.__name__} " in client


@pytest.mark.parametrize("task", ["esay", "", "../x", "mine.py:Mine"])
def test_what_is_not_shipped_is_not_packed(task: str, tmp_path: Path) -> None:
    told = run("package", "-o", str(tmp_path / "env"), "--json", "--", task)
    assert told.code == 2 and told.document["error"]["field"] == "PROBLEM" and not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    told = run("package", "-o", str(tmp_path), "--json")
    assert told.code == 2 and told.document["error"]["field"] == "--out" and not list(tmp_path.iterdir())
