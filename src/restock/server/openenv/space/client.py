"""The typed client, where OpenEnv looks for it."""

from restock.server.openenv.client import RestockEnv as RestockEnv
from restock.server.openenv.models import RetailAction as RetailAction
from restock.server.openenv.models import RetailObservation as RetailObservation
