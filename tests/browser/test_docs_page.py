"""The API's documentation, offline and under its own policy."""

from playwright.async_api import expect

from tests.browser.conftest import StartBrowserServer, Visit

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
