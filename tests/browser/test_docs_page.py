"""The documentation of REST and of the events, offline and under its own policy."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import StartBrowserServer, Visit
from tests.browser.test_accessibility import no_grave_violations

METHODS = ("get", "post", "put", "patch", "delete")


async def test_the_api_page_shows_every_operation_and_tries_one_out(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    contract = await chat.rest("GET", "/api/v1/openapi.json")
    operations = [
        operation["operationId"]
        for path in contract["paths"].values()
        for method, operation in path.items()
        if method in METHODS
    ]
    reader = await visit(chat)
    await reader.page.goto(chat.url + "/docs")
    blocks = reader.page.locator(".opblock")
    await expect(blocks).to_have_count(len(operations))
    await expect(reader.page.locator(".info .title")).to_contain_text("chatserver")

    create = reader.page.locator("#operations-tokens-issue_token")
    await create.locator(".opblock-summary-control").click()
    await create.locator("textarea").fill('{"name": "Ada"}')
    await create.get_by_role("button", name="Execute").click()
    answer = create.locator(".live-responses-table")
    await expect(answer.locator(".response-col_status").last).to_contain_text("201")
    await expect(answer).to_contain_text('"name": "Ada"')


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (360, "dark")])
async def test_the_events_page_shows_every_event_and_its_shapes(
    server: StartBrowserServer, visit: Visit, theme: str, width: int
) -> None:
    chat = await server()
    contract = await chat.rest("GET", "/api/v1/asyncapi.json")
    reader = await visit(chat, viewport={"width": width, "height": 740}, color_scheme=theme)
    await reader.page.goto(chat.url + "/docs")
    await reader.page.get_by_role("link", name="Events", exact=True).click()
    await expect(reader.at("event")).to_have_count(len(contract["operations"]))
    await expect(reader.at("shape")).to_have_count(len(contract["components"]["schemas"]))
    await expect(reader.page.get_by_role("heading", level=1)).to_contain_text("chatserver events")

    sent = reader.at("event").filter(has=reader.page.locator("#event-send_message"))
    await expect(sent).to_contain_text("client_message_id")
    await sent.get_by_role("link", name="MessageSent", exact=True).click()
    await expect(reader.page.locator("#shape-MessageSent")).to_be_in_viewport()
    await no_grave_violations(reader, "events")
    assert await reader.page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    ), "nothing is cut off at the side"
    await reader.page.get_by_role("link", name="REST", exact=True).click()
    await expect(reader.page.locator(".opblock").first).to_be_visible()


async def test_an_address_of_one_event_leads_to_it(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    reader = await visit(chat)
    await reader.page.goto(chat.url + "/docs/events#event-reply_delta")
    await expect(reader.page.locator("#event-reply_delta")).to_be_in_viewport()
