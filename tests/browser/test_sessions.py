"""Sessions and who may enter: settings, invites, discovery, leaving, deleting, signing out."""

import json

from aiohttp import ClientSession
from playwright.async_api import expect

from chatserver.testing import ScriptedBot
from tests.browser.conftest import StartBrowserServer, Visit
from tests.conftest import Connect
from tests.servers import RunningServer
from tests.waiting import eventually


async def test_the_owner_renames_a_session_and_everybody_sees_it(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat("Tea", visibility="link")
    bob = await (await visit(chat, "Bob")).enter(f"/#/s/{session_id}")
    await bob.ready()
    await ada.at("session-settings").click()
    await ada.at("session-title").fill("Coffee")
    await ada.at("save-settings").click()
    for visitor in (ada, bob):
        await expect(visitor.at("room-title")).to_have_text("Coffee")
        await expect(visitor.at("session-item")).to_contain_text("Coffee")
        await expect(visitor.page).to_have_title("Coffee")
    await expect(ada.at("settings-dialog")).to_have_count(0)
    await expect(bob.at("notice").last).to_contain_text("Ada changed the settings")


async def test_a_bot_can_be_asked_to_answer_only_when_mentioned(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot.answers(["You called?"])])
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await ada.at("session-settings").click()
    await ada.at("session-policy").select_option("mention")
    await ada.at("visibility-link").check()
    await ada.at("save-settings").click()
    await expect(ada.at("settings-dialog")).to_have_count(0)
    await ada.say("talking to myself")
    await ada.say("@sage are you there?")
    await ada.sees("talking to myself", "@sage are you there?", "You called?")
    assert len(bot.contexts) == 1
    await ada.at("session-settings").click()
    await expect(ada.at("session-policy")).to_have_value("mention")
    await expect(ada.at("visibility-link")).to_be_checked()


async def test_a_private_session_refuses_whoever_has_no_invite(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    chat = await server()
    bob = await connect(chat, "Bob")
    made = await bob.do("create_session", title="Secret plans", bot=None)
    session_id = made["session"]["id"]
    await bob.say(session_id, "nobody may read this")
    eve = await (await visit(chat, "Eve")).enter(f"/#/s/{session_id}")
    await expect(eve.at("room-refused")).to_contain_text("This chat is not open to you")
    await expect(eve.at("room-refused")).to_contain_text("you need an invite")
    assert "Secret plans" not in await eve.page.content()
    await expect(eve.at("composer")).to_have_count(0)
    await eve.page.get_by_role("button", name="Back to your chats").click()
    await expect(eve.at("home")).to_be_visible()


async def test_an_invite_is_copied_at_once_lets_people_in_and_stops_working_when_revoked(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    await ada.start_chat("Secret plans")
    link = await ada.invite_link()
    address, _, code = link.partition("?invite=")
    assert address == f"{chat.url}/#/s/{ada.session_id}"
    assert await ada.page.evaluate("navigator.clipboard.readText()") == link
    bob = await connect(chat, "Bob")
    await bob.do("join_session", session_id=ada.session_id, invite=code)
    await expect(ada.at("notice").last).to_have_text("Bob joined")

    await ada.at("invite").click()
    await ada.at("revoke-invites").click()
    await expect(ada.at("toast")).to_contain_text("stopped working")
    eve = await visit(chat, "Eve")
    await eve.page.goto(link)
    await eve.sign_in()
    await expect(eve.at("room-refused")).to_be_visible()
    await bob.say(ada.session_id, "still a member")
    await expect(ada.message("still a member").first).to_be_visible()


async def test_a_public_session_is_discovered_and_joined(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    chat = await server()
    bob = await connect(chat, "Bob")
    made = await bob.do("create_session", title="Town square", visibility="public", bot=None)
    await bob.say(made["session"]["id"], "Anybody here?")
    await bob.do("create_session", title="Private corner")
    ada = await (await visit(chat)).enter()
    await ada.at("discover").click()
    await expect(ada.at("public-session")).to_have_count(1)
    await ada.at("public-session").click()
    await expect(ada.at("room-title")).to_have_text("Town square")
    await ada.sees("Anybody here?")
    await expect(ada.at("discover-dialog")).to_have_count(0)
    await expect(ada.at("session-item")).to_have_count(1)


async def test_a_session_begins_from_a_bots_card(server: StartBrowserServer, visit: Visit) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    await expect(ada.at("bot-card")).to_have_count(2)
    await ada.at("bot-card").filter(has_text="echo").click()
    await expect(ada.at("room-title")).to_have_text("Chat with echo")
    await ada.say("hello")
    await ada.sees("hello", "hello")


async def test_whoever_leaves_is_gone_and_finds_the_session_no_more(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    chat = await server()
    bob = await connect(chat, "Bob")
    made = await bob.do("create_session", visibility="link")
    ada = await (await visit(chat)).enter(f"/#/s/{made['session']['id']}")
    await ada.ready()
    await ada.at("session-settings").click()
    await expect(ada.at("delete-session")).to_have_count(0)
    await ada.at("leave-session").click()
    await ada.at("confirm").click()
    await expect(ada.at("home")).to_be_visible()
    await expect(ada.at("session-item")).to_have_count(0)
    left = await bob.told("participant_left")
    assert left["data"]["participant"]["name"] == "Ada"


async def test_a_deleted_session_closes_for_everybody(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat("Short lived", visibility="link")
    bob = await (await visit(chat, "Bob")).enter(f"/#/s/{session_id}")
    await bob.ready()
    await ada.at("session-settings").click()
    await ada.at("delete-session").click()
    await ada.at("confirm").click()
    for visitor in (ada, bob):
        await expect(visitor.at("home")).to_be_visible()
        await expect(visitor.at("session-item")).to_have_count(0)
    await expect(bob.at("toast")).to_have_text("This chat is not available any more.")
    await bob.page.goto(f"{chat.url}/#/s/{session_id}")
    await expect(bob.at("room-refused")).to_be_visible()


async def test_two_tabs_of_one_person_stay_level(server: StartBrowserServer, visit: Visit) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    tab = await visit(chat, tab_of=ada)
    await tab.page.goto(chat.url)
    await expect(tab.at("home")).to_be_visible()
    await ada.page.bring_to_front()
    session_id = await ada.start_chat("New here", bot="")
    await ada.say("from the one")
    await tab.page.bring_to_front()
    await expect(tab.at("session-item")).to_contain_text("New here")
    await tab.open_session(session_id)
    await tab.say("from the other")
    for visitor in (tab, ada):
        await visitor.page.bring_to_front()
        await visitor.sees("from the one", "from the other")
        assert {sender for sender, _ in await visitor.transcript()} == {"Ada"}
    await ada.at("session-settings").click()
    await ada.at("delete-session").click()
    await ada.at("confirm").click()
    await tab.page.bring_to_front()
    await expect(tab.at("session-item")).to_have_count(0)


async def test_more_sessions_than_one_page_are_listed_on_request(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    other = await connect(chat, token=await ada.token())
    for number in range(60):
        await other.do("create_session", title=f"Chat {number}", bot=None)
    await ada.page.reload()
    await expect(ada.at("more-sessions")).to_be_visible()
    await ada.at("more-sessions").click()
    await expect(ada.at("session-item")).to_have_count(60)
    await expect(ada.at("more-sessions")).to_have_count(0)
    await expect(ada.at("session-item").filter(has_text="Chat 0")).to_be_visible()


async def test_a_revoked_token_leads_back_to_the_name_with_a_word_of_why(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await chat.rest("DELETE", "/api/v1/tokens/current", token=await ada.token())
    await expect(ada.at("name-error")).to_contain_text("signed out")
    await expect(ada.at("name-input")).to_have_value("Ada")
    assert await ada.page.evaluate("localStorage['chatserver.token']") is None
    await ada.page.goto(chat.url + "/#/")
    await ada.sign_in()
    await expect(ada.at("home")).to_contain_text("Welcome, Ada")


async def test_an_expired_token_leads_back_to_the_name_with_a_word_of_why(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server(token_seconds=2)
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    token = await ada.token()
    await ada.page.close()
    await eventually(lambda: expired(chat, token), what="the token is over")
    again = await visit(chat, tab_of=ada)
    again.expects()
    await again.page.goto(chat.url)
    await expect(again.at("name-error")).to_contain_text("away for too long")
    await again.sign_in()


async def test_a_page_that_stays_open_renews_its_token(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server(token_seconds=3)
    ada = await (await visit(chat)).enter()
    await ada.start_chat(bot="")
    first = json.loads(await ada.page.evaluate("localStorage['chatserver.token']"))["expires_at"]
    await ada.page.wait_for_function(
        "(first) => JSON.parse(localStorage['chatserver.token']).expires_at > first", arg=first
    )
    await ada.page.wait_for_function("(first) => Date.now() > Date.parse(first)", arg=first)
    await ada.say("still me")
    await ada.sees("still me")


async def test_signing_out_revokes_the_token_and_forgets_the_chats(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    await ada.start_chat("Secret plans")
    token = await ada.token()
    await ada.at("sign-out").click()
    await expect(ada.at("name-input")).to_be_visible()
    await expect(ada.page).to_have_title("chatserver")
    assert "Secret plans" not in await ada.page.content()
    await eventually(lambda: expired(chat, token), what="the token was revoked")
    await ada.page.reload()
    await expect(ada.at("name-input")).to_be_visible()


async def expired(chat: RunningServer, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        ClientSession() as http,
        http.get(chat.url + "/api/v1/me", headers=headers) as answer,
    ):
        return answer.status == 401
