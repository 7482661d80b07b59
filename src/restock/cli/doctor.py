"""`restock doctor`: installed versions and checks, to be pasted into a bug report."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from restock.cli.console import AsJson, Console, Quiet, table

CORE = ("numpy", "numba", "gymnasium", "pydantic", "PyYAML", "highspy", "cma", "typer", "rich", "jinja2")
EXTRAS = {
    "viz": ("plotly", "Pillow"),
    "data": ("polars",),
    "train": ("stable-baselines3", "sb3-contrib", "tensorboard", "optuna"),
    "server": ("fastapi", "uvicorn", "websockets"),
    "openenv": ("openenv",),
    "llm": ("httpx",),
    "docs": ("sphinx", "furo", "myst-parser", "latex2mathml", "ziamath"),
}
# Serial network, seed 42, 20 units ordered on every link: the reward of the first period, and what the
# best plan for that demand earns.
FIRST_REWARD, BEST_PROFIT = 31.62, 1032.14


def doctor(as_json: AsJson = False, quiet: Quiet = False) -> int:
    """Check the installation.

    Versions, optional packages, the cache of compiled code, and two known results. Exit code 1 says
    that something needed is missing or wrong.
    """
    console = Console(as_json, quiet)
    packages = {name: _version(name) for name in CORE}
    extras = {extra: {name: _version(name) for name in names} for extra, names in EXTRAS.items()}
    cache = _cache()
    if not as_json and not cache["compiled"]:
        console.remark("Nothing is compiled yet: the check takes some seconds.")
    checks = _checks()
    fine = all(packages.values()) and all(check["passed"] for check in checks)
    report = {
        "restock": _restock_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "usable_cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "packages": packages,
        "torch": _version("torch"),
        "extras": {
            extra: {"packages": found, "install": None if all(found.values()) else f"pip install 'restock[{extra}]'"}
            for extra, found in extras.items()
        },
        "cache": cache,
        "checks": checks,
        "fine": fine,
    }
    if as_json:
        console.document(report)
    else:
        _print(console, report)
    return 0 if fine else 1


def _version(name: str) -> str | None:
    """Return the installed version of a package; None if it is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _restock_version() -> str:
    import restock

    return restock.__version__


def _cache() -> dict[str, Any]:
    """Return the folder of compiled code, whether it is writable, and whether the network is compiled."""
    from restock.core import backends
    from restock.problems.network import NetworkProblem

    mark = backends.fingerprint((*backends.OPERATIONS, *NetworkProblem.texts.all, *backends.TEMPLATES))
    folder = backends.cache_folder(mark)
    return {
        "folder": str(backends.cache_root()),
        "writable": folder is not None,
        "compiled": folder is not None and any(folder.rglob("*.nbi")),
    }


# known results ------------------------------------------------------------------------------------


def _checks() -> list[dict[str, Any]]:
    """Return whether a step and an optimum are computed correctly; an error is a finding too."""
    checks = []
    for name, check, expected in (
        ("one compiled step", _first_reward, FIRST_REWARD),
        ("one optimum by HiGHS", _best_profit, BEST_PROFIT),
    ):
        began = time.perf_counter()
        try:
            found: float | None = check()
            problem = None
        except Exception as error:  # whatever is broken, the report has to come out
            found, problem = None, f"{type(error).__name__}: {error}"
        passed = found is not None and abs(found - expected) <= 1e-6
        checks.append(
            {
                "name": name,
                "passed": passed,
                "expected": expected,
                "found": found,
                "error": problem,
                "seconds": time.perf_counter() - began,
            }
        )
    return checks


def _first_reward() -> float:
    import gymnasium
    import numpy as np

    env: Any = gymnasium.make("restock/Serial-v0")
    env.reset(seed=42)
    return float(env.step(np.full(3, 20.0, dtype=np.float32))[1])


def _best_profit() -> float:
    from restock.evaluation.simulate import simulate

    return float(simulate("serial", "hindsight", seeds=[42]).profit[0])


# words --------------------------------------------------------------------------------------------


def _print(console: Console, report: dict[str, Any]) -> None:
    console.text(f"restock {report['restock']}, Python {report['python']}, {report['platform']}")
    console.text(f"{report['usable_cpus']} of {report['cpus']} processors may be used.")
    packages = table("package", "version", "")
    for name, found in report["packages"].items():
        packages.add_row(name, found or "missing", "" if found else "pip install restock")
    for entry in report["extras"].values():
        for name, found in entry["packages"].items():
            packages.add_row(name, found or "not installed", "" if found else f"optional: {entry['install']}")
    packages.add_row(
        "torch", report["torch"] or "not installed", "" if report["torch"] else "optional: choose a build, pytorch.org"
    )
    console.table(packages)
    cache = report["cache"]
    if cache["writable"]:
        state = "holds compiled code" if cache["compiled"] else "is empty so far"
        console.text(f"Cache folder {cache['folder']} can be written and {state}.")
    else:
        console.text(
            f"Cache folder {cache['folder']} cannot be written: every new process compiles for some seconds. "
            "Set RESTOCK_CACHE_DIR to a folder that can."
        )
    for check in report["checks"]:
        if check["passed"]:
            console.text(f"Check of {check['name']}: fine ({check['seconds']:.2f} s).")
        else:
            why = check["error"] or f"{check['found']} instead of {check['expected']}"
            console.text(f"Check of {check['name']}: FAILED ({why}).", style="bold red")
    console.text("All is well." if report["fine"] else "Something is wrong: see above.", style="bold")
