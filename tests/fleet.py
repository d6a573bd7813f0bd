"""Several complete servers of this process behind a load balancer, used as if they were one."""

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatserver.bots.model import ModelBotFactory
from chatserver.chat.ports import Bot
from tests.balancer import NAMES, Balancer
from tests.haproxy import Haproxy
from tests.nginx import Nginx
from tests.servers import RunningServer, start_server

BALANCERS: dict[str, type[Balancer]] = {"haproxy": Haproxy, "nginx": Nginx}


@dataclass(frozen=True)
class Arrangement:
    """`haproxy-3` is three instances behind HAProxy."""

    balancer: type[Balancer]
    instances: int

    @classmethod
    def named(cls, name: str) -> "Arrangement | None":
        """None: no balancer."""
        kind, _, count = name.partition("-")
        if kind not in BALANCERS:
            return None
        assert 1 <= int(count) <= len(NAMES), name
        return cls(BALANCERS[kind], int(count))


class Fleet(RunningServer):
    """What is reached by `app` and `service` is the first instance's."""

    def __init__(self, instances: list[RunningServer], balancer: Balancer) -> None:
        self.instances = instances
        self.size = len(instances)
        self.balancer = balancer
        self.app = instances[0].app
        self.settings = instances[0].settings
        self.url = balancer.url

    async def stop(self) -> None:
        await asyncio.gather(*[each.stop() for each in self.instances])
        self.balancer.stop()


async def start_fleet(
    arrangement: Arrangement,
    bots: list[Bot] | None = None,
    model_bots: ModelBotFactory | None = None,
    **settings: Any,
) -> Fleet:
    """`settings` name the database and Redis that all share."""
    shared = {
        "redis_prefix": f"test-{secrets.token_hex(4)}",
        "trusted_proxies": ("127.0.0.1",),
        **settings,
    }
    starts = [
        start_server(Path("unused"), bots, model_bots, instance_name=name, **shared)
        for name in NAMES[: arrangement.instances]
    ]
    instances = await asyncio.gather(*starts)
    balancer = arrangement.balancer([each.address for each in instances])
    balancer.start()
    return Fleet(instances, balancer)
