"""Everything that is done to the servers, each fault a class with what is expected of it."""

from tests.faults.injected.balancer import BalancerReloaded, BalancerRestarted, ReconnectStorm
from tests.faults.injected.clients import SlowClients, ZeroWindow
from tests.faults.injected.clock import InstanceAhead, InstanceBehind, WorkerAhead
from tests.faults.injected.disk import DiskFull
from tests.faults.injected.fault import Fault, Nothing
from tests.faults.injected.mixed import Mixed
from tests.faults.injected.postgres import PostgresFrozen, PostgresHalted, PostgresRestarted
from tests.faults.injected.processes import (
    InstanceFrozen,
    InstanceKilled,
    RollingRestart,
    WorkerFrozen,
    WorkerKilled,
)
from tests.faults.injected.redis import (
    ListenersKilled,
    RedisFrozen,
    RedisKilled,
    RedisPartitioned,
    RedisRestarted,
)

FAULTS: dict[str, type[Fault]] = {
    each.name: each
    for each in (
        *(Nothing, InstanceKilled, InstanceFrozen, WorkerKilled, WorkerFrozen, RollingRestart),
        *(RedisKilled, RedisRestarted, RedisFrozen, RedisPartitioned, ListenersKilled),
        *(PostgresRestarted, PostgresHalted, PostgresFrozen, DiskFull),
        *(SlowClients, ZeroWindow, BalancerRestarted, BalancerReloaded, ReconnectStorm),
        *(InstanceAhead, InstanceBehind, WorkerAhead, Mixed),
    )
}
"""By name."""
SHORT = (WorkerKilled, PostgresHalted, InstanceKilled, RedisFrozen)

__all__ = ["FAULTS", "SHORT", "Fault"]
