"""The HTTP endpoint: tells apart what requests ask for, and answers them."""

import orjson
from aiohttp import hdrs, web

from chatserver.addresses import Network, client_address, subscriber
from chatserver.realtime.engine import polling, websocket
from chatserver.realtime.engine.connection import Connection
from chatserver.realtime.engine.handshake import Ask, Handshake, Refusal, read_request
from chatserver.realtime.engine.origins import AllowsOrigin, cors_headers, is_refused
from chatserver.realtime.engine.outgoing import Outgoing
from chatserver.realtime.engine.packets import Packet, PacketType
from chatserver.realtime.engine.sessions import Sessions


class Endpoint:
    """Answers every request to one path."""

    def __init__(
        self,
        sessions: Sessions,
        *,
        allows_origin: AllowsOrigin,
        trusted_proxies: tuple[Network, ...],
    ) -> None:
        self._sessions = sessions
        self._allows_origin = allows_origin
        self._trusted_proxies = trusted_proxies

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if is_refused(request, self._allows_origin):
            return _refusal(Refusal.FORBIDDEN, {})
        cors = cors_headers(request)
        if request.method == hdrs.METH_OPTIONS:
            return web.Response(headers=cors)
        sid = request.query.get("sid", "")
        self._sessions.deadlines.meet()
        connection = self._sessions.find(sid)
        is_upgrade = request.headers.get(hdrs.UPGRADE, "").strip().lower() == "websocket"
        match read_request(request.method, request.query, is_upgrade, connection is not None):
            case Refusal() as refusal:
                return _refusal(refusal, cors)
            case Ask.OPEN_POLLING | Ask.OPEN_WEBSOCKET as ask:
                return await self._open(request, ask is Ask.OPEN_WEBSOCKET, cors)
            case ask:
                assert connection is not None
                return await self._serve(request, ask, connection, cors)

    async def _open(
        self, request: web.Request, is_websocket: bool, cors: dict[str, str]
    ) -> web.StreamResponse:
        if self._sessions.is_closing:
            # Load balancers ask another instance then.
            return _refusal(Refusal.FORBIDDEN, cors, status=503)
        forwarded = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ()))
        address = client_address(request.remote, forwarded, self._trusted_proxies)
        environ = {
            "REMOTE_ADDR": address,
            "QUERY_STRING": request.query_string,
            "aiohttp.request": request,
        }
        connection = self._sessions.open(subscriber(address), environ)
        if connection is None:
            return _refusal(Refusal.FORBIDDEN, cors, status=429)
        upgrades = () if is_websocket else ("websocket",)
        handshake = Handshake(connection.sid, upgrades, self._sessions.limits)
        data = orjson.dumps(handshake.wire()).decode()
        connection.send(Outgoing(Packet(PacketType.OPEN, data)))
        if is_websocket:
            try:
                return await websocket.serve(self._sessions, request, connection)
            except ConnectionError:  # gone before the handshake was complete
                return _refusal(Refusal.BAD_REQUEST, cors)
        await self._sessions.opened(connection)
        return await self._serve(request, Ask.POLL, connection, cors)

    async def _serve(
        self, request: web.Request, ask: Ask, connection: Connection, cors: dict[str, str]
    ) -> web.StreamResponse:
        try:
            match ask:
                case Ask.PROBE:
                    return await websocket.upgrade(self._sessions, request, connection)
                case Ask.POST:
                    text = await polling.post(self._sessions, request, connection)
                case _:
                    text = await polling.poll(self._sessions, request, connection)
        except ConnectionError:
            return _refusal(Refusal.BAD_REQUEST, cors)
        except polling.Refused as refused:
            return _refusal(Refusal.BAD_REQUEST, cors, status=refused.status)
        return web.Response(text=text, headers={**cors, hdrs.CACHE_CONTROL: "no-store"})


def _refusal(refusal: Refusal, cors: dict[str, str], status: int = 400) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(refusal.body),
        content_type="application/json",
        headers=cors,
    )
