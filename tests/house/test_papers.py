"""The files around the code agree with it and with each other."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import restock
from restock.problems.load import IDS, shipped
from tests.shared_material import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINNED = ["requirements/demo.txt", "requirements/test.txt"]


def text_of(path: str) -> str:
    return (REPOSITORY / path).read_text(encoding="utf-8")


def tracked_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    return [name for name in listed.decode().split("\0") if name and (REPOSITORY / name).is_file()]


def pins(path: str) -> dict[str, str]:
    """Version by package of a pinned file."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text_of(path), flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def test_one_version_everywhere():
    cited = yaml.safe_load(text_of("CITATION.cff"))
    assert PROJECT["version"] == restock.__version__ == cited["version"]
    assert f"## [{restock.__version__}]" in text_of("CHANGELOG.md")


def test_one_licence_everywhere():
    assert PROJECT["license"] == yaml.safe_load(text_of("CITATION.cff"))["license"] == "MIT"
    assert text_of("LICENSE").startswith("MIT License")


def test_no_package_index_and_no_path_of_one_machine():
    index = re.compile(r"https?://[^ \"]*/(simple|packages)(/|\b)|--(extra-)?index-url|--find-links|file:/" + "/")
    hosts = re.compile("|".join(host + r"\." + top for host, top in (("pypi", "org"), ("pythonhosted", "org"))))
    places = re.compile(r"(^|[^A-Za-z.\]])/(work|tmp|root|farm|opt|home)/")
    found = []
    for name in tracked_files():
        content = (REPOSITORY / name).read_bytes()
        if name == "tests/house/test_papers.py" or b"\0" in content:
            continue
        for number, line in enumerate(content.decode().splitlines(), start=1):
            if index.search(line) or hosts.search(line) or places.search(line):
                found.append(f"{name}:{number}: {line.strip()[:120]}")
    assert not found


@pytest.mark.parametrize("path", PINNED)
def test_every_requirement_is_pinned_and_hashed(path):
    blocks = re.split(r"\n(?=\S)", text_of(path).strip())
    assert len(blocks) == len(pins(path)) > 20
    for block in blocks:
        assert re.match(r"[a-z0-9._-]+==\S+", block), block[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:80]


@pytest.mark.parametrize("path", PINNED)
def test_no_build_of_torch_comes_with_the_pinned_files(path):
    unwanted = [name for name in pins(path) if re.match(r"(torch|triton|nvidia|cuda)", name)]
    assert not unwanted


def wishes(*extras: str) -> list[Requirement]:
    """What these extras ask for, those that they name in turn included."""
    asked = [Requirement(line) for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    return [wish for one in asked for wish in (wishes(*one.extras) if one.name == "restock" else [one])]


def test_pinned_versions_are_those_the_project_allows():
    core = [Requirement(line) for line in PROJECT["dependencies"]]
    wanted = {
        "requirements/demo.txt": core + wishes("viz"),
        "requirements/test.txt": core + wishes("viz", "data", "dev"),
    }
    assert {"fastapi", "optuna", "openenv"} <= {wish.name for wish in wanted["requirements/test.txt"]}
    for path, requirements in wanted.items():
        versions = pins(path)
        for wish in requirements:
            assert wish.specifier.contains(versions[canonicalize_name(wish.name)]), f"{path}: {wish}"


def test_the_demo_runs_on_the_versions_that_are_tested():
    demo, test = pins("requirements/demo.txt"), pins("requirements/test.txt")
    assert demo.items() <= test.items()


def test_readme_begins_with_the_two_commands_and_its_example_runs(capsys):
    readme = text_of("README.md")
    first = re.search(r"```\n(.*?)```", readme, flags=re.DOTALL)
    assert first is not None and re.findall(r"^make \w+", first[1], flags=re.MULTILINE) == ["make demo", "make test"]
    examples = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    assert examples
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})
    assert "base-stock" in capsys.readouterr().out


def test_readme_network_can_be_loaded(tmp_path):
    example = re.search(r"```yaml\n(.*?)```", text_of("README.md"), flags=re.DOTALL)
    assert example is not None
    path = tmp_path / "corner-shop.yaml"
    path.write_text(example[1], encoding="utf-8")
    problem = restock.load_problem(path)
    assert problem.name == "corner-shop" and problem.horizon == 30


def test_readme_lists_every_environment_and_instance():
    readme = text_of("README.md")
    assert len(shipped()) >= 6
    for name in (*IDS, *shipped()):
        assert f"`{name}`" in readme, name


def test_links_in_the_papers_lead_somewhere():
    for path in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", text_of(path)):
            assert (REPOSITORY / target).exists(), f"{path}: {target}"
