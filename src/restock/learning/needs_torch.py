"""Import of torch for modules that define classes of it; without it, the import says what to install."""

from __future__ import annotations

from restock.core.errors import require_extra

require_extra("torch", "train", "training")

import torch as torch  # noqa: E402
from torch import nn as nn  # noqa: E402
