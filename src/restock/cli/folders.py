"""New folders that commands write completely or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from restock.core.errors import InvalidInput


def write_folder(field: str, folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a new folder: in the end either all files are there or none.

    Args:
        field: The argument that names the folder, for errors.
        folder: Where it goes.
        files: What stands in it, by path.

    Raises:
        InvalidInput: The folder is there already, or nothing can be written.
    """
    import shutil
    import tempfile

    if folder.exists() or folder.is_symlink():
        problem = "there is a file or folder of that name"
        raise InvalidInput(field, str(folder), problem, "Take another name, or move it.")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
            whole = Path(beside, folder.name)
            for path, content in files.items():
                target = whole / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            shutil.move(whole, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        mend = "Go to a folder in which you may write."
        raise InvalidInput(field, str(folder), f"it cannot be written ({reason})", mend) from None
