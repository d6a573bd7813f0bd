"""Socket.IO packets with orjson, for this client's connections only."""

from typing import Any

import orjson
from socketio.packet import Packet


class _Json:
    @staticmethod
    def dumps(value: Any, **_options: Any) -> str:
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_options: Any) -> Any:
        return orjson.loads(text)


class OrjsonPacket(Packet):  # type: ignore[misc]  # the package has no types
    """python-socketio's own `json=` option is process-wide; a packet class of one's own is not."""

    json = _Json
