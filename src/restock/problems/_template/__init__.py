"""One item that is bought ahead and sold for a price: the newsvendor with lead time, a problem to begin with."""

from .problem import OwnProblem
from .spec import OwnSpec

__all__ = ["OwnProblem", "OwnSpec"]
