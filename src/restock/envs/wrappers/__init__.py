"""Wrappers: whole-unit orders, stacked observations, randomised demand, episode logs."""

from restock.envs.wrappers.demand_randomisation import RandomDemand, VectorRandomDemand
from restock.envs.wrappers.episode_log import EpisodeLog
from restock.envs.wrappers.frame_stack import FrameStack, VectorFrameStack
from restock.envs.wrappers.integer_orders import IntegerOrders, VectorIntegerOrders

__all__ = [
    "EpisodeLog",
    "FrameStack",
    "IntegerOrders",
    "RandomDemand",
    "VectorFrameStack",
    "VectorIntegerOrders",
    "VectorRandomDemand",
]
