"""restock as an OpenEnv package: its typed client, and the actions and observations of its task."""

from restock.server.openenv.client import RestockEnv as RestockEnv
from restock.server.openenv.models import RetailAction as RetailAction
from restock.server.openenv.models import RetailObservation as RetailObservation
