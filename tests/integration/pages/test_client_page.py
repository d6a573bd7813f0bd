"""The page of the real client, as the server hands it out. (A browser is not needed for this.)"""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from chatserver.gateways import headers, pages
from chatserver.gateways.build import IMPORT_MAP

Client = TestClient[web.Request, web.Application]

WEB = Path(__file__).parents[3] / "web"


@pytest.fixture
async def client(
    tmp_path: Path, aiohttp_client: Callable[[web.Application], Awaitable[Client]]
) -> Client:
    (tmp_path / "app").symlink_to(WEB / "app")
    app = web.Application()
    headers.setup(app)
    pages.setup(app, web_root=tmp_path, values={"app_name": "Tea", "default_bot": "corpus"})
    return await aiohttp_client(app)


@pytest.fixture
async def page(client: Client) -> str:
    response = await client.get("/")
    assert response.status == 200
    return await response.text()


def test_the_import_map_is_the_only_inline_code(page: str) -> None:
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page)
    assert inline == ['<script type="importmap">']
    assert len(IMPORT_MAP.findall(page)) == 1
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)


def test_every_import_is_a_file_of_the_build(page: str) -> None:
    built = set(json.loads((WEB / "vendor.json").read_text()).values())
    imports = json.loads(IMPORT_MAP.findall(page)[0])["imports"]
    for target in imports.values():
        name = re.sub("^/build/[0-9a-f]{16}/vendor/", "", target)
        assert name in built or any(each.startswith(name) for each in built if name[-1] == "/")
    assert {"swagger-ui.css", "swagger-ui-bundle.js"} <= built


async def test_everything_the_page_names_is_there(client: Client, page: str) -> None:
    named = re.findall(r'(?:src|href)="(/[^"]*)"', page)
    assert len(named) > 20
    events = await (await client.get("/docs/events")).text()
    # What REST has is not served here, and its page needs what the build adds.
    named += re.findall(r'(?:src|href)="(/(?!api/|docs")[^"]*)"', events)
    assert "/protocol.d.ts" in named
    for path in named:
        response = await client.get(path)
        assert (path, response.status) == (path, 200)


async def test_every_module_of_the_client_is_served_as_javascript(client: Client) -> None:
    modules = [path.relative_to(WEB / "app") for path in (WEB / "app" / "src").rglob("*.js")]
    assert modules
    for module in modules:
        response = await client.get(f"/assets/{module.as_posix()}")
        assert response.status == 200
        assert response.content_type == "text/javascript"


async def test_all_modules_but_the_lazy_ones_are_fetched_at_once(page: str) -> None:
    link = r'<link rel="modulepreload" href="/build/[^/]+/assets/(.+?)">'
    preloaded = set(re.findall(link, page))
    app = WEB / "app"
    modules = {path.relative_to(app).as_posix() for path in (app / "src").rglob("*.js")}
    # One is imported when code is shown, one is a script of its own, one holds types alone; others
    # are of another page.
    assert modules - preloaded == {
        "src/docs/contract.js",
        "src/docs/page.js",
        "src/highlight.js",
        "src/boot_theme.js",
        "src/commands/context.js",
    }
