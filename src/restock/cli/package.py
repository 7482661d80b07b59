"""`restock package`: a folder that can be deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restock.cli.console import AsJson, Console, Quiet
from restock.cli.serve import ServedProblem

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write; there must be none of that name.")]


def package(
    problem: ServedProblem = "medium",
    out: Out = Path("restock_env"),
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a folder that serves problems wherever Docker runs: `openenv push`, `openenv build`, `docker build`.

    It holds the manifest of OpenEnv, a Dockerfile, the front matter of a Hugging Face Space, and restock itself.
    """
    from restock.cli.folders import write_folder
    from restock.server.openenv.packing import packed

    console = Console(as_json, quiet)
    files = packed(problem)
    write_folder("--out", out, files)
    own = [path for path in files if not path.startswith("restock/")]
    if as_json:
        console.document({"folder": str(out), "files": own, "library": len(files) - len(own)})
        return
    console.text(f"Wrote {out}/: {', '.join(own)}, and restock/ ({len(files) - len(own)} files).")
    console.remark(f"Check:  openenv validate --level static --skip-build {out}")
    console.remark(f"Build:  openenv build {out}, or docker build -t restock {out}")
    console.remark(f"Deploy: openenv push {out}")
