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


async def test_the_last_message_is_edited_by_arrow_up_and_left_alone_by_escape(pair: Pair) -> None:
    await pair.ada.say("one")
    await pair.bob.say("two")
    await pair.ada.sees("one", "two")
    await pair.ada.at("composer").press("ArrowUp")
    await expect(pair.ada.at("edit-input")).to_have_value("one")
    await pair.ada.at("edit-input").fill("something else")
    await pair.ada.at("edit-input").press("Escape")
    await expect(pair.ada.at("edit-input")).to_have_count(0)
    await pair.ada.sees("one", "two")
    await expect(pair.ada.at("edited")).to_have_count(0)


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


async def test_only_own_messages_can_be_changed(pair: Pair) -> None:
    await pair.ada.say("mine")
    await pair.bob.message("mine").hover()
    await expect(pair.bob.message("mine").get_by_test_id("reply-to")).to_be_visible()
    await expect(pair.bob.at("edit-message")).to_have_count(0)
    await expect(pair.bob.at("delete-message")).to_have_count(0)


async def test_an_answer_quotes_what_it_answers(pair: Pair) -> None:
    await pair.ada.say("Milk or lemon?")
    await pair.bob.message("Milk").hover()
    await pair.bob.message("Milk").get_by_test_id("reply-to").click()
    await expect(pair.bob.at("composer-quote")).to_contain_text("Ada Milk or lemon?")
    await expect(pair.bob.at("composer")).to_be_focused()
    await pair.bob.say("Both")
    await expect(pair.bob.at("composer-quote")).to_have_count(0)
    answer = pair.ada.message("Both")
    await expect(answer.locator(".quote")).to_have_text("Ada Milk or lemon?")


async def test_lines_break_by_shift_enter_and_blank_text_is_not_sent(pair: Pair) -> None:
    composer = pair.ada.at("composer")
    await composer.press("Enter")
    await composer.fill("   \n  ")
    await composer.press("Enter")
    await expect(pair.ada.at("send")).to_be_disabled()
    await composer.fill("")
    await composer.press_sequentially("one")
    await composer.press("Shift+Enter")
    await composer.press_sequentially("two")
    await pair.ada.at("send").click()
    await pair.bob.sees("one\ntwo")
    await expect(composer).to_be_empty()


async def test_a_draft_stays_with_its_session_through_a_reload(pair: Pair) -> None:
    tea = pair.ada.session_id
    await pair.ada.at("composer").fill("not yet sent")
    await pair.ada.start_chat("Elsewhere")
    await expect(pair.ada.at("composer")).to_be_empty()
    await pair.ada.open_session(tea)
    await expect(pair.ada.at("composer")).to_have_value("not yet sent")
    await pair.ada.page.reload()
    await expect(pair.ada.at("composer")).to_have_value("not yet sent")
