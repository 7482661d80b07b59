"""Pictures of the state of any problem, as text and as images."""

from restock.envs.render.image import as_image
from restock.envs.render.text import as_text
from restock.envs.render.view import View

__all__ = ["View", "as_image", "as_text"]
