"""What the pages of the five systems showed, on ours."""

import re

from playwright.async_api import expect

from tests.browser.conftest import StartBrowserServer, Visit


async def test_the_page_shows_the_apps_and_the_models_name(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server(app_name="Ask away", hugging_face_model="org/model-7b", default_bot=None)
    ada = await (await visit(chat)).enter()
    await expect(ada.page).to_have_title(re.compile("Ask away"))
    await expect(ada.at("home")).to_contain_text("org/model-7b")


async def test_each_message_is_shown_with_its_time(
    server: StartBrowserServer, visit: Visit
) -> None:
    ada = await (await visit(await server())).enter()
    await ada.start_chat(bot="")
    await ada.say("What time is it?")
    time = ada.message("What time is it?").locator("time")
    await expect(time).to_have_text(re.compile(r"\d{1,2}:\d{2}"))
    await expect(time).to_have_attribute("datetime", re.compile(r"^\d{4}-\d\d-\d\dT"))
