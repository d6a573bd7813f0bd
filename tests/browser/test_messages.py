"""Editing, deleting and quoting messages, as everybody in the room sees it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import StartBrowserServer, Visit
from tests.browser.visitor import Visitor


@dataclass
class Pair:
    ada: Visitor
    bob: Visitor


@pytest_asyncio.fixture(loop_scope="session")
async def pair(server: StartBrowserServer, visit: Visit) -> AsyncIterator[Pair]:
    """Ada, who made the session, and Bob, in one room without a bot."""
    chat = await server()
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat(bot="", visibility="link")
    bob = await (await visit(chat, "Bob")).enter(f"/#/s/{session_id}")
    await bob.ready()
    yield Pair(ada, bob)


async def test_an_edited_message_changes_for_everybody_and_is_marked(pair: Pair) -> None:
    await pair.ada.say("Tee at four")
    await pair.bob.sees("Tee at four")
    await pair.ada.message("Tee").hover()
    await pair.ada.message("Tee").get_by_test_id("edit-message").click()
    await expect(pair.ada.at("edit-input")).to_be_focused()
    await pair.ada.at("edit-input").fill("Tea at **four**")
    await pair.ada.at("edit-input").press("Enter")
    for visitor in (pair.ada, pair.bob):
        await visitor.sees("Tea at four")
        await expect(visitor.at("edited")).to_be_visible()
    await expect(pair.ada.at("composer")).to_be_focused()
    await pair.bob.page.reload()
    await pair.bob.sees("Tea at four")
    await expect(pair.bob.at("edited")).to_be_visible()


async def test_the_last_message_is_edited_by_arrow_up_and_left_alone_by_escape(
    server: StartBrowserServer, visit: Visit
) -> None:
    ada = await (await visit(await server())).enter()
    await ada.start_chat(bot="echo")
    await ada.say("one")
    await ada.sees("one", "one")
    await ada.at("composer").press("ArrowUp")
    await expect(ada.at("edit-input")).to_have_value("one")
    await ada.at("edit-input").fill("something else")
    await ada.at("edit-input").press("Escape")
    await expect(ada.at("edit-input")).to_have_count(0)
    await ada.sees("one", "one")
    await expect(ada.at("edited")).to_have_count(0)


async def test_a_deleted_message_is_gone_for_everybody(pair: Pair) -> None:
    await pair.ada.say("keep this")
    await pair.ada.say("I should not have said this")
    await pair.bob.sees("keep this", "I should not have said this")
    regretted = pair.ada.message("should not")
    await regretted.hover()
    await regretted.get_by_test_id("delete-message").click()
    await pair.ada.at("confirm").click()
    for visitor in (pair.ada, pair.bob):
        await visitor.sees("keep this", "Message deleted")
        await expect(visitor.at("session-item")).not_to_contain_text("should not")
    await pair.bob.page.reload()
    await pair.bob.sees("keep this", "Message deleted")
    assert "should not" not in await pair.bob.page.content()


async def test_messages_of_others_can_be_quoted_but_not_changed(pair: Pair) -> None:
    await pair.ada.say("Milk or lemon?")
    await pair.bob.message("Milk").hover()
    await expect(pair.bob.at("edit-message")).to_have_count(0)
    await expect(pair.bob.at("delete-message")).to_have_count(0)
    await pair.bob.message("Milk").get_by_test_id("reply-to").click()
    await expect(pair.bob.at("composer-quote")).to_contain_text("Ada Milk or lemon?")
    await expect(pair.bob.at("composer")).to_be_focused()
    await pair.bob.say("Both")
    await expect(pair.bob.at("composer-quote")).to_have_count(0)
    answer = pair.ada.message("Both")
    await expect(answer.locator(".quote")).to_have_text("Ada Milk or lemon?")


async def test_lines_break_by_shift_enter_and_blank_text_is_not_sent(
    server: StartBrowserServer, visit: Visit
) -> None:
    ada = await (await visit(await server())).enter()
    await ada.start_chat(bot="")
    composer = ada.at("composer")
    await composer.press("Enter")
    await composer.fill("   \n  ")
    await composer.press("Enter")
    await expect(ada.at("send")).to_be_disabled()
    await composer.fill("")
    await composer.press_sequentially("one")
    await composer.press("Shift+Enter")
    await composer.press_sequentially("two")
    await ada.at("send").click()
    await ada.sees("one\ntwo")
    await expect(composer).to_be_empty()


async def test_a_draft_stays_with_its_session_through_a_reload(
    server: StartBrowserServer, visit: Visit
) -> None:
    ada = await (await visit(await server())).enter()
    tea = await ada.start_chat("Tea")
    await ada.at("composer").fill("not yet sent")
    await ada.start_chat("Elsewhere")
    await expect(ada.at("composer")).to_be_empty()
    await ada.open_session(tea)
    await expect(ada.at("composer")).to_have_value("not yet sent")
    await ada.page.reload()
    await expect(ada.at("composer")).to_have_value("not yet sent")
