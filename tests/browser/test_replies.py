"""Replies on the page: streaming through reloads, stopping, failing, asking again."""

import asyncio
import re
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from chatserver.testing import FakeModel, ScriptedBot, Speak
from tests.browser.conftest import StartBrowserServer, Visit
from tests.browser.visitor import Visitor
from tests.declared import bots_file
from tests.servers import RunningServer
from tests.story import PIECES, STORY
from tests.waiting import eventually
from tests.wire import Wire

COLLECT = """() => {
  window.seen = [];
  const look = () => {
    const text = document.querySelector('[data-testid="reply-streaming"] .markdown')?.textContent;
    if (text && text !== window.seen.at(-1)) window.seen.push(text);
  };
  new MutationObserver(look).observe(document, {
    childList: true, subtree: true, characterData: true,
  });
}"""


async def stored_texts(chat: RunningServer, visitor: Visitor) -> list[str]:
    """The messages of the open session, over REST, as the visitor."""
    path = f"/api/v1/sessions/{visitor.session_id}/events?after_seq=0&limit=200"
    page: dict[str, Any] = await chat.rest("GET", path, token=await visitor.token())
    return [event["data"]["text"] for event in page["events"] if "text" in event["data"]]


async def test_a_reload_in_the_middle_of_a_reply_misses_and_doubles_nothing(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await ada.say("count")
    bubble = ada.at("reply-streaming").locator(".bubble")
    bot.say("one 🙂 ", "two ")
    await expect(bubble).to_have_text("one 🙂 two")
    await ada.page.reload()
    await expect(bubble).to_have_text("one 🙂 two")
    bot.say("three ", "👩‍🚀 four ")
    await expect(bubble).to_have_text("one 🙂 two three 👩‍🚀 four")
    await ada.page.reload()
    bot.say("five").end()
    await ada.sees("count", "one 🙂 two three 👩‍🚀 four five")
    assert await stored_texts(chat, ada) == ["count", "one 🙂 two three 👩‍🚀 four five"]


async def test_at_every_moment_the_page_shows_a_beginning_of_the_reply(
    server: StartBrowserServer, visit: Visit
) -> None:
    """Two reloads and a lost connection while the words keep coming."""
    chat = await server(words_per_second=40)
    ada = await (await visit(chat)).enter()
    await ada.start_chat(bot="echo")
    await ada.page.add_init_script(f"({COLLECT})()")
    text = " ".join(f"naïve{number}🙂" for number in range(200))
    await ada.say(text)
    bubble = ada.at("reply-streaming").locator(".bubble")
    ada.expects()
    seen: list[str] = []
    for word in ("naïve20", "naïve60"):
        await expect(bubble).to_contain_text(word)
        await ada.page.reload()
        await expect(bubble).to_contain_text(word)
        seen += await ada.page.evaluate("window.seen")
    await ada.context.set_offline(True)
    await expect(ada.at("banner")).to_be_visible()
    await ada.context.set_offline(False)
    await ada.sees(text, text)
    seen += await ada.page.evaluate("window.seen")
    assert len(set(seen)) > 20
    assert [each for each in seen if not text.startswith(each.rstrip())] == []
    assert await stored_texts(chat, ada) == [text, text]


async def test_a_models_reply_goes_on_through_reloads_and_cuts_of_the_network(
    server: StartBrowserServer, visit: Visit, tmp_path: Path
) -> None:
    """The last cut is mended only once the model has ended."""
    async with FakeModel(Speak(PIECES, pace=0.04)) as model:
        file = bots_file(tmp_path, model, key_variable="")
        chat = await server(bots_file=file, default_bot="gpt")
        async with Wire(chat.url) as wire:
            ada = await (await visit(wire)).enter()
            await ada.start_chat()
            await ada.page.add_init_script(f"({COLLECT})()")
            await ada.page.evaluate(f"({COLLECT})()")
            await ada.say("a story?")
            bubble, banner = ada.at("reply-streaming").locator(".bubble"), ada.at("banner")
            ada.expects()
            await expect(bubble).to_contain_text("chapter2 ")
            seen = await ada.page.evaluate("window.seen")
            await ada.page.reload()
            await expect(bubble).to_contain_text("chapter8 ")
            wire.cut()
            await expect(banner).to_have_attribute("data-status", "offline")
            await wire.mend()
            await expect(bubble).to_contain_text("chapter20 ")
            wire.cut()
            await expect(banner).to_have_attribute("data-status", "offline")
            assert model.open_streams == 1, "it came back while the model still spoke"
            await eventually(lambda: model.open_streams == 0, what="the model ended")
            await wire.mend()
            await ada.sees("a story?", STORY.strip())
            seen += await ada.page.evaluate("window.seen")
            assert len(set(seen)) > 20
            assert [each for each in seen if not STORY.startswith(each.rstrip())] == []
            assert await stored_texts(chat, ada) == ["a story?", STORY]


async def test_stop_ends_a_reply_and_marks_it_and_it_can_be_answered_again(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await expect(ada.at("stop-reply")).to_have_count(0)
    await ada.say("tell me everything")
    bot.say("Well, in the beginning ")
    await expect(ada.at("reply-streaming")).to_contain_text("in the beginning")
    await ada.at("stop-reply").click()
    stopped = ada.message("in the beginning")
    await expect(stopped.get_by_test_id("stopped")).to_be_visible()
    await expect(ada.at("reply-streaming")).to_have_count(0)
    await expect(ada.at("stop-reply")).to_have_count(0)
    await eventually(lambda: bot.closed == 1, what="the bot was closed")

    await stopped.get_by_test_id("retry-reply").click()
    bot.say("There was tea.").end()
    await ada.sees("tell me everything", "There was tea.")
    await expect(ada.at("stopped")).to_have_count(0)


async def test_a_reply_stopped_before_its_first_word_can_be_asked_for_again(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await ada.say("think hard")
    await expect(ada.at("thinking")).to_be_visible()
    await ada.at("stop-reply").click()
    await expect(ada.at("reply-stopped")).to_contain_text("before it said anything")
    await ada.at("reply-stopped").get_by_test_id("retry-reply").click()
    await expect(ada.at("reply-stopped")).to_have_count(0)
    bot.say("Done.").end()
    await ada.sees("think hard", "Done.")


async def test_a_failed_reply_says_why_and_can_be_asked_for_again(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await ada.say("are you there?")
    bot.say("I am al").fail()
    failed = ada.message("I am al").get_by_test_id("reply-failed")
    await expect(failed).to_have_text(re.compile("Cut off. The model is away."))
    await expect(ada.at("reply-streaming")).to_have_count(0)
    await expect(ada.at("reply-failed")).to_have_count(1)
    await expect(ada.at("retry-reply")).to_have_count(1)
    await ada.page.reload()
    await failed.get_by_test_id("retry-reply").click()
    bot.say("I am.").end()
    await ada.sees("are you there?", "I am.")
    await expect(ada.at("reply-failed")).to_have_count(0)


async def test_everybody_sees_the_reply_and_anybody_may_stop_it(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat(visibility="link")
    await ada.say("hello")
    bot.say("Hello ")
    bob = await (await visit(chat, "Bob")).enter(f"/#/s/{session_id}")
    both = (ada, bob)
    for visitor in both:
        await expect(visitor.at("reply-streaming")).to_contain_text("Hello")
    bot.say("you ")
    for visitor in both:
        await expect(visitor.at("reply-streaming")).to_contain_text("Hello you")
    await bob.at("stop-reply").click()
    await asyncio.gather(*(visitor.sees("hello", "Hello you") for visitor in both))
