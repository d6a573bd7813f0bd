"""What is said and heard at `/chat`."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession

from chatserver.bots.corpus import read_corpus
from chatserver.chat.commands import CreateSession
from chatserver.chat.models import Visibility
from chatserver.gateways import talk
from chatserver.testing import ScriptedBot
from tests.integration.doors.plain_clients import (
    address,
    ask,
    closing,
    hear,
    own_session,
    plain,
    texts_of,
    who,
)
from tests.servers import StartServer
from tests.waiting import eventually


async def test_a_reply_is_a_line_of_the_corpus_and_replies_vary(server: StartServer) -> None:
    running = await server(default_bot="corpus", words_per_second=10_000)
    async with plain(running, token=await running.token()) as ada:
        replies = [await ask(ada, "hello") for _ in range(12)]
    assert set(replies) <= set(read_corpus(None))
    assert len(set(replies)) > 1


async def test_several_messages_are_answered_in_order(server: StartServer) -> None:
    running = await server()
    said = [f"{number}\nwith a second line, ❤" for number in range(20)]
    async with plain(running, token=await running.token()) as ada:
        for text in said:
            await ada.send(text)
        assert await hear(ada, 20) == said


async def test_receiving_does_not_wait_for_the_bot(server: StartServer) -> None:
    bot = ScriptedBot()
    running = await server(bots=[bot], default_bot="scripted")
    token = await running.token()
    session_id = await own_session(running, token)
    async with plain(running, token=token) as ada:
        await ada.send("one")
        await ada.send("two")

        async def both() -> bool:
            return await texts_of(running, session_id) == ["one", "two"]

        await eventually(both)
        bot.answers(["first", "second"])
        assert await hear(ada, 2) == ["first", "second"]


async def test_people_are_told_by_name_and_nobody_hears_themselves(server: StartServer) -> None:
    running = await server()
    ada, bob = await running.token("Ada"), await running.token("Bob")
    command = CreateSession(visibility=Visibility.LINK)
    session = await running.service.create_session(await who(running, ada), command)
    there = {"session": session.session.id}
    async with (
        plain(running, token=ada, **there) as first,
        plain(running, token=ada, **there) as second,
        plain(running, token=bob, **there) as third,
    ):
        await first.send("hi")
        assert await hear(third, 2) == ["Ada: hi", "hi"]
        await third.send("ho")
        for client in (first, second):
            assert await hear(client, 3) == ["hi", "Bob: ho", "ho"]
        assert await hear(third) == ["ho"]


async def test_two_tokens_do_not_hear_each_other(server: StartServer) -> None:
    running = await server()
    async with (
        plain(running, token=await running.token()) as ada,
        plain(running, token=await running.token()) as bob,
    ):
        for number in range(5):
            await asyncio.gather(ada.send(f"a{number}"), bob.send(f"b{number}"))
        assert await hear(ada, 5) == [f"a{number}" for number in range(5)]
        assert await hear(bob, 5) == [f"b{number}" for number in range(5)]


async def test_blank_messages_are_ignored_and_others_refused_in_words(server: StartServer) -> None:
    running = await server(text_chars=10)
    token = await running.token()
    async with plain(running, token=token) as ada:
        for text in ("", " \n\t", "x" * 11, "\x00"):
            await ada.send(text)
        assert await hear(ada, 2) == [
            "Error: a message may have at most 10 characters",
            "Error: text: Value error, may not contain the NUL character",
        ]
        assert await ask(ada, "hi") == "hi"
    assert await texts_of(running, await own_session(running, token)) == ["hi", "hi"]


async def test_who_is_too_fast_or_asks_too_much_is_told_and_stays(server: StartServer) -> None:
    bot = ScriptedBot()
    running = await server(
        bots=[bot],
        default_bot="scripted",
        queued_replies_per_session=1,
        events_per_second=0.001,
        events_burst=3,
    )
    token = await running.token()
    async with plain(running, token=token) as ada:  # which was the first of three events
        for text in ("one", "two", "three"):
            await ada.send(text)
        refused = await hear(ada, 2)
        assert refused == [
            "Error: 1 replies wait or run in this session before it",
            "Error: too many events; slow down",
        ]
        bot.say("answer").end()
        assert await hear(ada) == ["answer"]
    assert await texts_of(running, await own_session(running, token)) == ["one", "answer"]


async def test_who_does_not_heed_that_it_is_too_much_is_shown_out(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "REFUSALS", 5)
    running = await server(events_per_second=0.001, events_burst=1)
    async with plain(running, token=await running.token()) as ada:  # which was the first event
        for _ in range(5):
            await ada.send("hello")
        assert await hear(ada, 4) == ["Error: too many events; slow down"] * 4
        assert await closing(ada) == 1008


async def test_messages_that_are_none_count_as_well(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "REFUSALS", 5)
    running = await server(events_per_second=0.001, events_burst=3)
    async with plain(running, token=await running.token()) as ada:  # which was the first event
        for _ in range(7):
            await ada.send("\x00")
        assert await hear(ada, 6) == [
            *["Error: text: Value error, may not contain the NUL character"] * 2,
            *["Error: too many events; slow down"] * 4,
        ]
        assert await closing(ada) == 1008


async def test_nobody_can_speak_as_an_error(server: StartServer) -> None:
    running = await server()
    ada, forger = await running.token("Ada"), await running.token("Error")
    command = CreateSession(visibility=Visibility.LINK, bot=None)
    session = await running.service.create_session(await who(running, ada), command)
    there = {"session": session.session.id}
    async with (
        plain(running, token=ada, **there) as one,
        plain(running, token=forger, **there) as two,
    ):
        await two.send("all is lost")
        assert await hear(one) == ["(user) Error: all is lost"]


async def test_a_bot_without_its_key_says_so_for_each_message(
    server: StartServer, tmp_path: Path
) -> None:
    bots = tmp_path / "bots.toml"
    bots.write_text('[[bot]]\nname = "b"\nmodel = "m"\nprompt = "p"\nkey_variable = "NO_KEY_SET"\n')
    running = await server(bots_file=bots, default_bot="b", thinking_notice="…")
    said = "Error: The bot b cannot answer: this server has no key for its model."
    async with plain(running, token=await running.token()) as ada:
        for _ in range(3):
            await ada.send("hello")
            assert await hear(ada, 2) == ["…", said]


async def test_a_reply_that_breaks_off_is_told_and_the_next_one_follows(
    server: StartServer,
) -> None:
    bot = ScriptedBot()
    running = await server(bots=[bot], default_bot="scripted")
    async with plain(running, token=await running.token()) as ada:
        bot.say("I was ").fail(RuntimeError("a secret of ours"))
        await ada.send("hello")
        assert await hear(ada, 2) == ["I was ", "Error: The bot failed while answering."]
        bot.answers(["fine"])
        assert await ask(ada, "again") == "fine"


async def test_a_bot_is_seen_to_think_where_that_is_wanted(server: StartServer) -> None:
    running = await server(thinking_notice="Thinking…")
    async with plain(running, token=await running.token()) as ada:
        await ada.send("hello")
        assert await hear(ada, 2) == ["Thinking…", "hello"]


async def test_a_broken_connection_does_not_disturb_the_others(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    async with plain(running, token=token) as good, ClientSession() as http:
        bad = await http.ws_connect(address(running, token=token))
        await bad.send_str("bye")
        transport = bad._response.connection and bad._response.connection.transport
        assert transport is not None
        transport.abort()
        assert await hear(good) == ["bye"]
        for number in range(5):
            assert await ask(good, str(number)) == str(number)
