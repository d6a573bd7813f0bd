"""Engine.IO v4 server transport: long-polling, WebSocket, and the upgrade between them.

What a packet or request means is decided by pure functions (`packets`, `handshake`, `protocol`,
`frames`) and a state machine without sockets (`connection`); `websocket`, `polling` and `server` do
the I/O around them on aiohttp.
"""
