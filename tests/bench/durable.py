"""Durable messages per second with acks, and what one costs the server.

    python -m tests.bench.durable [--rounds 5] [--messages 20000]

The server runs alone on the first core, the load on another. 50 connections send in a closed loop
(the next message after the ack of the last); rooms have 1, 10 or 100 members. Every message is
committed with synchronous=FULL before its ack. Each round prints a row; the last row of a room
size holds the medians.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop

SENDERS = 50
TEXT = "x" * 150
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Load:
    seconds: float
    cpu: float
    latencies: list[float]
    deliveries: int


class Peer:
    """A minimal Socket.IO client on a bare WebSocket: the load must cost less than the server."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._acks: dict[int, asyncio.Future[dict[str, object]]] = {}
        self._next = 0
        self.received = 0
        self.all_received = asyncio.Event()
        self.expected = -1
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, http: aiohttp.ClientSession, base: str, name: str) -> "Peer":
        async with http.post(f"{base}/api/v1/tokens", json={"name": name}) as response:
            response.raise_for_status()
            token = (await response.json())["token"]
        url = f"{base}/socket.io/?EIO=4&transport=websocket"
        socket = await http.ws_connect(url, compress=0)
        await socket.receive_str()
        await socket.send_str(f"40/chat,{json.dumps({'token': token})}")
        assert (await socket.receive_str()).startswith("40/chat,")
        return cls(socket)

    async def call(self, event: str, payload: dict[str, object]) -> dict[str, object]:
        number, self._next = self._next, self._next + 1
        answer = self._acks[number] = asyncio.get_running_loop().create_future()
        body = json.dumps([event, payload], separators=(",", ":"))
        await self._socket.send_str(f"42/chat,{number}{body}")
        ack = await answer
        assert ack["ok"], ack
        data = ack["data"]
        assert isinstance(data, dict)
        return data

    async def _read(self) -> None:
        async for message in self._socket:
            text = message.data
            if text.startswith("43"):
                number, body = re.match(r"43/chat,(\d+)(.*)", text, re.S).groups()  # type: ignore[union-attr]
                self._acks.pop(int(number)).set_result(json.loads(body)[0])
            elif text.startswith('42/chat,["message_created"'):
                self.received += 1
                if self.received == self.expected:
                    self.all_received.set()
            elif text == "2":
                await self._socket.send_str("3")

    async def close(self) -> None:
        self._reading.cancel()
        await self._socket.close()


async def measure(base: str, pid: int, members: int, messages: int) -> Load:
    """One round against a fresh set of rooms."""
    connections = max(SENDERS, members)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        peers = [await Peer.connect(http, base, f"peer {n}") for n in range(connections)]
        sessions = []
        for first in range(0, connections, members):
            room = peers[first : first + members]
            created = await room[0].call(
                "create_session", {"visibility": "link", "reply_policy": "off", "bot": None}
            )
            session_id = created["session"]["id"]  # type: ignore[index]
            for peer in room[1:]:
                await peer.call("join_session", {"session_id": session_id})
            sessions += [session_id] * len(room)
        latencies: list[float] = []
        each = messages // SENDERS

        async def send(number: int) -> None:
            for n in range(each):
                started = time.perf_counter()
                await peers[number].call(
                    "send_message",
                    {"session_id": sessions[number], "text": TEXT, "client_message_id": f"{n}"},
                )
                latencies.append(time.perf_counter() - started)

        before, started = cpu_seconds(pid), time.perf_counter()
        for peer in peers:
            peer.expected = each * min(members, SENDERS)
        await asyncio.gather(*[send(number) for number in range(SENDERS)])
        await asyncio.gather(*[peer.all_received.wait() for peer in peers])
        load = Load(
            time.perf_counter() - started,
            cpu_seconds(pid) - before,
            latencies,
            sum(peer.received for peer in peers),
        )
        await asyncio.gather(*[peer.close() for peer in peers])
    return load


def row(members: int, load: Load) -> dict[str, object]:
    messages = len(load.latencies)
    ordered = sorted(load.latencies)
    return {
        "bench": "durable",
        "members": members,
        "messages": messages,
        "messages_per_s": round(messages / load.seconds),
        "cpu_us_per_message": round(load.cpu / messages * 1e6, 1),
        "cpu_us_per_delivery": round(load.cpu / load.deliveries * 1e6, 1),
        "server_cpu_share": round(load.cpu / load.seconds, 2),
        "ack_p50_ms": round(ordered[messages // 2] * 1e3, 2),
        "ack_p99_ms": round(ordered[messages * 99 // 100] * 1e3, 2),
    }


def medians(rows: list[dict[str, object]]) -> dict[str, object]:
    numbers = {
        key: statistics.median(float(str(each[key])) for each in rows)
        for key in rows[0]
        if key not in ("bench", "members", "messages")
    }
    return {"bench": "durable", "members": rows[0]["members"], "median_of": len(rows), **numbers}


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def start_server(folder: str) -> tuple[subprocess.Popen[str], str]:
    """On a core of its own, with limits that do not get in the way of the load."""
    settings = {
        "CHATSERVER_DATABASE_URL": f"sqlite:///{folder}/bench.db",
        "CHATSERVER_EVENTS_PER_SECOND": "1000000",
        "CHATSERVER_EVENTS_BURST": "1000000",
        "CHATSERVER_TOKENS_PER_MINUTE": "1000000",
        "CHATSERVER_CONNECTIONS_PER_ADDRESS": "10000",
        "CHATSERVER_LOG_LEVEL": "warning",
    }
    core = min(os.sched_getaffinity(0))
    server = subprocess.Popen(
        ["taskset", "-c", str(core), sys.executable, "-m", "chatserver", "serve", "--port", "0"],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    for line in server.stdout:
        found = re.search(r"http://[\w.:\[\]]+", line)
        if found:
            return server, found.group()
    raise SystemExit("the server did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=20_000)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        server, base = start_server(folder)
        os.sched_setaffinity(0, cores[1:] or cores)
        try:
            for members in (1, 10, 100):
                messages = options.messages // (1 if members < 100 else 10)
                rows = []
                for _ in range(options.rounds):
                    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                        rows.append(
                            row(members, runner.run(measure(base, server.pid, members, messages)))
                        )
                    print(json.dumps(rows[-1]), flush=True)
                print(json.dumps(medians(rows)), flush=True)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
