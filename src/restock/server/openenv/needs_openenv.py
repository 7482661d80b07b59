"""Import of the openenv classes that are derived from; without openenv, the import says what to install."""

from __future__ import annotations

from restock.core.errors import require_extra

require_extra("openenv.core", "openenv", "an OpenEnv environment or client")

from openenv.core import EnvClient as EnvClient  # noqa: E402
from openenv.core.client_types import StepResult as StepResult  # noqa: E402
from openenv.core.env_server.interfaces import Environment as Environment  # noqa: E402
from openenv.core.env_server.types import Action as Action  # noqa: E402
from openenv.core.env_server.types import EnvironmentMetadata as EnvironmentMetadata  # noqa: E402
from openenv.core.env_server.types import Observation as Observation  # noqa: E402
from openenv.core.env_server.types import State as State  # noqa: E402
from openenv.core.rubrics import Rubric as Rubric  # noqa: E402
