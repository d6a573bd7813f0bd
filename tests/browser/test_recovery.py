"""The connection goes and comes back; the page keeps what was written and misses nothing."""

import asyncio
import json
import re

from playwright.async_api import WebSocketRoute, expect

from tests.browser.conftest import StartBrowserServer, Visit
from tests.browser.visitor import Visitor
from tests.conftest import Connect
from tests.processes import StartProcess
from tests.waiting import eventually

SEND = re.compile(r'^42/chat,(\d+)\["send_message"')


class Line:
    """The socket between a page and its server, to be cut and bent."""

    def __init__(self) -> None:
        self.lose_acks = False
        self.refuse_with: dict[str, object] | None = None
        self.lost: list[str] = []

    async def lead(self, visitor: Visitor) -> None:
        await visitor.page.route_web_socket(re.compile("/socket.io/"), self._connect)

    def _connect(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        async def to_server(message: str | bytes) -> None:
            asked = SEND.match(str(message))
            if asked and self.refuse_with:
                page.send(f"43/chat,{asked[1]}{json.dumps([self.refuse_with])}")
            else:
                server.send(message)

        async def to_page(message: str | bytes) -> None:
            if self.lose_acks and str(message).startswith("43"):
                self.lost.append(str(message))
                await page.close()
                await server.close()
            elif not (self.lose_acks and str(message).startswith("42")):
                page.send(message)

        page.on_message(to_server)
        server.on_message(to_page)


async def test_a_killed_server_is_survived_without_a_lost_or_doubled_message(
    server_process: StartProcess, visit: Visit, connect: Connect
) -> None:
    process = await asyncio.to_thread(server_process)
    ada = await (await visit(process)).enter()
    session_id = await ada.start_chat(bot="", visibility="link")
    token = await process.token("Bob")
    bob = await connect(process, token=token)
    await bob.do("join_session", session_id=session_id)
    before = [f"before {number}" for number in range(5)]
    for text in before:
        await bob.say(session_id, text)

    ada.expects()
    process.kill()
    banner = ada.at("banner")
    await expect(banner).to_have_attribute("data-status", "offline")
    await expect(ada.at("connection")).to_have_text("Offline")
    await asyncio.to_thread(process.start)
    again = await connect(process, token=token)
    meanwhile = [f"meanwhile {number}" for number in range(20)]
    for text in meanwhile:
        await again.say(session_id, text)
    await expect(banner).to_have_count(0, timeout=20_000)
    await again.say(session_id, "after")
    await ada.sees(*before, *meanwhile, "after")
    await expect(ada.at("connection")).to_have_text("Online")


async def test_what_was_missed_while_the_network_was_gone_arrives_in_order(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    """More than one snapshot holds, so that the page has to page for the rest."""
    chat = await server()
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat(bot="", visibility="link")
    bob = await connect(chat, "Bob")
    await bob.do("join_session", session_id=session_id)
    await bob.say(session_id, "before")
    await ada.sees("before")

    ada.expects()
    await ada.context.set_offline(True)
    await expect(ada.at("banner")).to_be_visible()
    meanwhile = [f"meanwhile {number}" for number in range(450)]
    for text in meanwhile:
        await bob.say(session_id, text)
    await ada.context.set_offline(False)
    await expect(ada.at("banner")).to_have_count(0)
    await ada.sees("before", *meanwhile)


async def test_a_message_written_offline_is_sent_once_the_server_is_back(
    server_process: StartProcess, visit: Visit
) -> None:
    process = await asyncio.to_thread(server_process)
    ada = await (await visit(process)).enter()
    await ada.start_chat(bot="")
    ada.expects()
    process.kill()
    await expect(ada.at("banner")).to_be_visible()
    await ada.say("first")
    await ada.say("second")
    await expect(ada.message("first", "pending")).to_contain_text("Waiting for the connection")
    await asyncio.to_thread(process.start)
    await ada.sees("first", "second")
    await ada.page.reload()
    await ada.sees("first", "second")
    assert await ada.outbox() == []


async def test_what_was_written_offline_survives_the_page(
    server_process: StartProcess, visit: Visit
) -> None:
    process = await asyncio.to_thread(server_process)
    ada = await (await visit(process)).enter()
    session_id = await ada.start_chat(bot="")
    ada.expects()
    process.kill()
    await expect(ada.at("banner")).to_be_visible()
    await ada.say("do not forget me")
    await expect(ada.message("do not forget me", "pending")).to_be_visible()
    assert len(await ada.outbox()) == 1
    await ada.page.close()

    await asyncio.to_thread(process.start)
    again = await visit(process, tab_of=ada)
    await again.page.goto(f"{process.url}/#/s/{session_id}")
    await again.sees("do not forget me")
    await again.page.reload()
    await again.sees("do not forget me")
    assert await again.outbox() == []


async def test_a_message_whose_ack_was_lost_is_stored_once(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada, line = await visit(chat), Line()
    await line.lead(ada)
    await ada.enter()
    await ada.start_chat()
    line.lose_acks = True
    await ada.say("only once, please")
    await eventually(lambda: line.lost, what="an ack was lost")
    await expect(ada.message("only once, please", "pending")).to_be_visible()
    line.lose_acks = False
    await ada.sees("only once, please", "only once, please")
    assert [sender for sender, _ in await ada.transcript()] == ["Ada", "echo"]
    await ada.page.reload()
    await ada.sees("only once, please", "only once, please")


async def test_a_refused_message_says_why_and_can_be_tried_again_or_discarded(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada, line = await visit(chat), Line()
    await line.lead(ada)
    await ada.enter()
    await ada.start_chat(bot="")
    error = {"code": "forbidden", "message": "no", "retryable": False}
    line.refuse_with = {"ok": False, "error": error}
    await ada.say("let me through")
    await ada.say("never mind")
    refused = ada.message("let me through", "failed")
    await expect(refused).to_contain_text("Not sent. You are not allowed to do that.")
    await refused.get_by_test_id("retry-send").click()
    await expect(refused).to_be_visible()
    await ada.message("never mind", "failed").get_by_test_id("discard-send").click()
    await expect(ada.message("never mind", "failed")).to_have_count(0)

    line.refuse_with = None
    await refused.get_by_test_id("retry-send").click()
    await ada.sees("let me through")
    await expect(refused).to_have_count(0)
    assert await ada.outbox() == []


async def test_a_message_beyond_what_the_server_takes_does_not_end_the_connection_for_good(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server(frame_bytes=4096)
    ada = await (await visit(chat)).enter()
    await ada.start_chat(bot="")
    await ada.say("x" * 5000)
    await expect(ada.message("xxx", "failed")).to_contain_text("too large")
    await ada.say("short")
    await ada.sees("short")
    await expect(ada.at("banner")).to_have_count(0)


async def test_a_draining_server_says_so_and_the_page_comes_back_by_itself(
    server_process: StartProcess, visit: Visit
) -> None:
    process = await asyncio.to_thread(server_process)
    ada = await (await visit(process)).enter()
    await ada.start_chat(bot="")
    await ada.say("before")
    await ada.sees("before")
    ada.expects()
    assert await asyncio.to_thread(process.terminate) == 0
    await expect(ada.at("banner")).to_have_attribute("data-status", "draining")
    await expect(ada.at("banner")).to_contain_text("restarting")
    await ada.say("in between")
    await asyncio.to_thread(process.start)
    await expect(ada.at("banner")).to_have_count(0, timeout=20_000)
    await ada.say("after")
    await ada.sees("before", "in between", "after")
