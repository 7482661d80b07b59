"""The actions and observations of the task, where OpenEnv looks for them."""

from restock.server.openenv.models import RestockState as RestockState
from restock.server.openenv.models import RetailAction as RetailAction
from restock.server.openenv.models import RetailObservation as RetailObservation
