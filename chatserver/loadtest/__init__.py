"""The load generator behind `chatserver bench`: many connections, exact counts, honest latencies.

It speaks the protocol on bare WebSocket frames, so that it costs less than the server it measures,
and it watches itself, so that a report says when the generator was what limited the result.

    async with await Crowd.open(target, plan) as crowd:
        measured = await crowd.run(Load(rate=100, seconds=10))
"""

from chatserver.loadtest.crowd import Crowd, CrowdPlan
from chatserver.loadtest.errors import LoadError, help_for
from chatserver.loadtest.load import Load
from chatserver.loadtest.measured import Measured
from chatserver.loadtest.target import Target

__all__ = ["Crowd", "CrowdPlan", "Load", "LoadError", "Measured", "Target", "help_for"]
