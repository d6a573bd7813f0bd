"""Several bots in one session: invited, dismissed, spoken to by name, each stopped by itself."""

from playwright.async_api import Locator, expect

from chatserver.chat.models import ParticipantKind
from chatserver.chat.ports import Bot
from chatserver.testing import ScriptedBot
from tests.browser.conftest import StartBrowserServer, Visit
from tests.browser.visitor import Visitor
from tests.conftest import Connect

COME_BACK = """(grant) => localStorage.setItem(
  "chatserver.token", JSON.stringify({ ...grant, granted_at: Date.now() }))"""


def three() -> tuple[ScriptedBot, ScriptedBot, ScriptedBot]:
    return ScriptedBot("sage"), ScriptedBot("scribe"), ScriptedBot("oracle")


def bot_item(visitor: Visitor, name: str) -> Locator:
    return visitor.page.locator(f'[data-testid="session-bot-item"][data-bot="{name}"]')


async def invite_bot(visitor: Visitor, name: str) -> None:
    await visitor.at("session-settings").click()
    await visitor.at("bot-to-add").select_option(name)
    await visitor.at("add-bot").click()
    await expect(bot_item(visitor, name)).to_be_visible()
    await visitor.at("dialog-close").click()


async def test_the_owner_adds_and_removes_bots_and_everybody_sees_it(
    server: StartBrowserServer, visit: Visit
) -> None:
    bots: list[Bot] = [*three()]
    chat = await server(bots=bots)
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat(visibility="link")
    bob = await (await visit(chat, "Bob")).enter(f"/#/s/{session_id}")
    await bob.ready()
    await ada.at("session-settings").click()
    await expect(bot_item(ada, "sage")).to_contain_text("Answers every message")
    await expect(ada.at("bot-to-add").locator("option")).to_have_text(["scribe", "oracle"])
    await ada.at("bot-to-add").select_option("oracle")
    await ada.at("add-bot").click()
    await expect(bot_item(ada, "oracle")).to_contain_text("when mentioned with @oracle")
    await expect(bob.at("notice").last).to_have_text("oracle joined")

    await bob.at("session-settings").click()
    await expect(bob.at("session-bot-item")).to_have_count(2)
    for control in ("remove-bot", "add-bot", "session-bot", "save-settings"):
        await expect(bob.at(control)).to_have_count(0)

    await ada.page.get_by_role("button", name="Remove sage").click()
    await expect(ada.at("session-bot-item")).to_have_count(1)
    await expect(bob.at("session-bot-item")).to_have_count(1)
    await expect(ada.at("session-bot")).to_have_value("")
    await ada.at("save-settings").click()
    await expect(ada.at("settings-dialog")).to_have_count(0)
    await expect(bob.at("notice").last).to_contain_text("changed the settings")


async def test_a_bot_too_many_is_refused_in_the_dialog(
    server: StartBrowserServer, visit: Visit
) -> None:
    bots: list[Bot] = [*three()]
    chat = await server(bots=bots, bots_per_session=1)
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await ada.at("session-settings").click()
    await ada.at("add-bot").click()
    await expect(ada.at("bots-error")).to_contain_text("as many bots as it may have")
    await expect(ada.at("session-bot-item")).to_have_count(1)


async def test_settings_say_who_answers_and_whether_bots_answer_bots(
    server: StartBrowserServer, visit: Visit
) -> None:
    bots: list[Bot] = [*three()]
    chat = await server(bots=bots)
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await ada.at("session-settings").click()
    await expect(ada.at("bot-hint")).to_have_count(0)
    await ada.at("session-bot").select_option("scribe")
    await expect(ada.at("bot-hint")).to_have_text("sage leaves the chat then.")
    await ada.at("session-bot-turns").select_option("3")
    await ada.at("save-settings").click()
    await expect(ada.at("settings-dialog")).to_have_count(0)
    await ada.at("session-settings").click()
    await expect(ada.at("session-bot")).to_have_value("scribe")
    await expect(ada.at("session-bot-turns")).to_have_value("3")
    await expect(ada.at("session-bot-item")).to_have_count(1)
    await ada.page.reload()
    await ada.at("session-settings").click()
    await expect(ada.at("session-bot-turns")).to_have_value("3")


async def test_an_operator_may_set_who_answers_and_nothing_else(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    bots: list[Bot] = [*three()]
    chat = await server(bots=bots)
    bob = await connect(chat, "Bob")
    made = await bob.do("create_session", bot="sage", visibility="link")
    olga = await visit(chat, "Olga")
    grant = await chat.service.issue_token("Olga", ParticipantKind.OPERATOR)
    await olga.page.goto(chat.url)
    await olga.page.evaluate(COME_BACK, grant.wire())
    await olga.page.goto(f"{chat.url}/#/s/{made['session']['id']}")
    await olga.page.reload()
    await olga.ready()
    await olga.at("session-settings").click()
    await expect(olga.at("session-bot")).to_be_visible()
    for control in ("session-title", "session-bot-turns", "visibility-link", "delete-session"):
        await expect(olga.at(control)).to_have_count(0)
    await olga.at("add-bot").click()
    await expect(olga.at("session-bot-item")).to_have_count(2)
    await olga.at("session-policy").select_option("off")
    await olga.at("save-settings").click()
    await expect(olga.at("settings-dialog")).to_have_count(0)
    assert (await bob.told("session_updated"))["data"]["reply_policy"] == "off"


async def test_a_name_is_completed_by_keyboard(server: StartBrowserServer, visit: Visit) -> None:
    sage, scribe, oracle = three()
    chat = await server(bots=[sage, scribe, oracle])
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await invite_bot(ada, "scribe")
    composer, keyboard = ada.at("composer"), ada.page.keyboard
    await composer.focus()
    await keyboard.type("Hello @")
    options = ada.page.get_by_role("option")
    await expect(options.locator("strong")).to_have_text(["@sage", "@scribe"])
    field = ada.page.get_by_role("combobox", name="Message")
    await expect(field).to_have_attribute("aria-expanded", "true")
    chosen = options.and_(ada.page.locator('[aria-selected="true"]'))
    await expect(chosen).to_contain_text("@sage")
    await keyboard.press("ArrowDown")
    await expect(chosen).to_contain_text("@scribe")
    await expect(field).to_have_attribute(
        "aria-activedescendant", await chosen.get_attribute("id") or ""
    )
    await keyboard.press("ArrowDown")
    await expect(chosen).to_contain_text("@sage")
    await keyboard.type("sc")
    await expect(options).to_have_count(1)
    await keyboard.press("Enter")
    await expect(composer).to_have_value("Hello @scribe ")
    await expect(options).to_have_count(0)
    await expect(composer).not_to_have_attribute("role", "combobox")

    await keyboard.type("and @s")
    await expect(options).to_have_count(2)
    await keyboard.press("Escape")
    await expect(options).to_have_count(0)
    await keyboard.type("a")
    await expect(options).to_have_count(0)
    await keyboard.press("Backspace")
    await keyboard.press("Backspace")
    await keyboard.press("Backspace")
    await keyboard.type("@s")
    await keyboard.press("Tab")
    await expect(composer).to_have_value("Hello @scribe and @sage ")
    await expect(composer).to_be_focused()
    scribe.answers(["Here."])
    sage.answers(["Here too."])
    await keyboard.press("Enter")
    await ada.sees("Hello @scribe and @sage", "Here.", "Here too.")


async def test_a_name_is_completed_by_mouse_and_only_bots_of_the_session_are_offered(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    chat = await server(bots=[*three()])
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat(visibility="link")
    sarah = await connect(chat, "Sarah")
    await sarah.do("join_session", session_id=session_id)
    await expect(ada.at("member")).to_have_count(3)
    await ada.at("composer").press_sequentially("@s")
    await expect(ada.at("mention-option")).to_have_count(1)
    await ada.at("mention-option").click()
    await expect(ada.at("composer")).to_have_value("@sage ")
    await expect(ada.at("composer")).to_be_focused()
    await ada.at("composer").press_sequentially("me@s")
    await expect(ada.at("mention-option")).to_have_count(0)


async def test_a_whole_name_does_not_keep_enter_from_sending(
    server: StartBrowserServer, visit: Visit
) -> None:
    sage, *others = three()
    chat = await server(bots=[sage, *others])
    ada = await (await visit(chat)).enter()
    await ada.start_chat(policy="mention")
    await ada.at("composer").press_sequentially("thanks @sage")
    await ada.at("composer").press("Enter")
    sage.answers(["Welcome."])
    await ada.sees("thanks @sage", "Welcome.")


async def test_mentions_of_the_sessions_bots_are_marked(
    server: StartBrowserServer, visit: Visit
) -> None:
    sage, *others = three()
    chat = await server(bots=[sage, *others])
    ada = await (await visit(chat)).enter()
    await ada.start_chat(policy="mention")
    text = '@Sage and @oracle, `@sage` <span class="mention">no</span> **@sage**'
    await ada.say(text)
    sage.answers(["Ask @oracle, or @sage."])
    mentions = ada.page.locator(".bubble .mention")
    await expect(mentions).to_have_text(["@Sage", "@sage", "@sage"])
    await invite_bot(ada, "oracle")
    await expect(mentions).to_have_text(["@Sage", "@oracle", "@sage", "@oracle", "@sage"])


async def test_each_of_several_replies_has_its_name_and_its_own_stop(
    server: StartBrowserServer, visit: Visit
) -> None:
    sage, scribe, oracle = three()
    chat = await server(bots=[sage, scribe, oracle])
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await invite_bot(ada, "scribe")
    await ada.say("@sage and @scribe, who are you?")
    sage.answers(["Sage."])
    scribe.answers(["Scribe."])
    await ada.sees("@sage and @scribe, who are you?", "Sage.", "Scribe.")
    await ada.at("retry-reply").nth(0).click()
    await expect(ada.at("thinking")).to_be_visible()
    await ada.at("retry-reply").nth(0).click()
    live = ada.at("reply-streaming")
    await expect(live).to_have_count(2)
    first, second = live.filter(has_text="sage"), live.filter(has_text="scribe")
    await expect(second).to_contain_text("Waiting for its turn")
    await expect(ada.at("stop-reply")).to_have_attribute("aria-label", "Stop sage")
    sage.say("I am sa")
    await expect(first).to_contain_text("I am sa")
    await second.get_by_role("button", name="Stop scribe").click()
    await expect(ada.at("reply-stopped")).to_contain_text("scribe was stopped")
    await expect(first).to_contain_text("I am sa")
    await expect(ada.at("stop-this-reply")).to_have_count(0)
    sage.say("ge.").end()
    await ada.sees("@sage and @scribe, who are you?", "I am sage.", "Scribe.")
    await ada.at("reply-stopped").get_by_test_id("retry-reply").click()
    await expect(ada.at("stop-reply")).to_have_attribute("aria-label", "Stop scribe")
    scribe.answers(["The scribe."])
    await ada.sees("@sage and @scribe, who are you?", "I am sage.", "The scribe.")
