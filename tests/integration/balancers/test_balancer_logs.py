"""What the balancers write of requests that fail."""

import aiohttp
import pytest

from tests.fleet import Fleet
from tests.servers import StartServer
from tests.waiting import eventually


async def test_what_stands_in_a_query_is_not_in_the_log_of_a_request_that_fails(
    server: StartServer,
) -> None:
    fleet = await server()
    assert isinstance(fleet, Fleet)
    for each in fleet.instances:  # which go on answering, with 503
        await each.app.shutdown()
    token = await fleet.token()
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{fleet.url}/chat?token={token}")
        assert refused.value.status == 503
    await eventually(lambda: "GET /chat HTTP/1.1" in fleet.balancer.log())
    assert token not in fleet.balancer.log()
