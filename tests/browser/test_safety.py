"""Whatever people and bots write stays text: nothing runs, nothing loads, nothing breaks out."""

from playwright.async_api import expect

from chatserver.testing import ScriptedBot
from tests.browser.conftest import StartBrowserServer, Visit
from tests.browser.visitor import Visitor
from tests.conftest import Connect
from tests.waiting import eventually

RUN = "window.pwned=1;alert(1)"
HOSTILE = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror='{RUN}'>",
    f"text <svg/onload='{RUN}'> text",
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    f"<details open ontoggle='{RUN}'><summary>more</summary></details>",
    f"<a href='javascript:{RUN}' onclick='{RUN}'>a link</a>",
    f"[a link](javascript:{RUN})",
    f"[a link](JaVaScRiPt:{RUN})",
    f"[a link](&#106;avascript:{RUN})",
    f"[a link](data:text/html,<script>{RUN}</script>)",
    f"[a link][1]\n\n[1]: vbscript:{RUN}",
    f"<javascript:{RUN}>",
    f"![an image](javascript:{RUN})",
    "![an image](https://tracker.invalid/pixel.png)",
    "<p style='position:fixed;inset:0;background:red;z-index:99'>over everything</p>",
    "<style>body { display: none }</style>",
    "<form action=/api/v1/tokens method=post><button>Press</button></form>",
    "<base href=https://elsewhere.invalid/><meta http-equiv=refresh content='0;url=//elsewhere'>",
    f'<math><mtext></mtext><mglyph><style><img title="</style><img src onerror={RUN}>">',
    f"```html\n<script>{RUN}</script>\n```",
    f"```\"><img src=x onerror='{RUN}'>\nlanguage of a kind\n```",
    f"a | b\n--- | ---\n<img src=x onerror='{RUN}'> | `<script>{RUN}</script>`",
]

ESCAPES = """() => {
  const found = [];
  const forbidden = "script, img, svg, iframe, style, form, input, base, meta, math, details, object, embed";
  for (const text of document.querySelectorAll(".markdown, .quote, .session-last, .typing, .notice, h1")) {
    for (const element of text.querySelectorAll(forbidden)) found.push(element.outerHTML);
    for (const element of text.querySelectorAll("*")) {
      for (const { name } of element.attributes) {
        if (name.startsWith("on") || name === "style") found.push(element.outerHTML);
      }
    }
  }
  for (const link of document.querySelectorAll(".markdown a[href]")) {
    if (!["http:", "https:", "mailto:"].includes(link.protocol)) found.push(link.outerHTML);
  }
  if (window.pwned) found.push("a script ran");
  return found;
}"""  # noqa: E501

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def nothing_escaped(visitor: Visitor) -> None:
    assert await visitor.page.evaluate(ESCAPES) == []
    assert await visitor.page.evaluate(OVERFLOW) <= 0


async def test_hostile_messages_and_replies_stay_text(
    server: StartBrowserServer, visit: Visit
) -> None:
    """The `visit` fixture asserts that nothing was loaded, opened or refused by the policy."""
    chat = await server()
    ada = await (await visit(chat)).enter()
    await ada.start_chat(bot="echo")
    for number, text in enumerate(HOSTILE, start=1):
        await ada.say(text)
        await expect(ada.page.locator('[data-testid="message"][data-seq]')).to_have_count(
            2 * number
        )
        await nothing_escaped(ada)
    await expect(ada.message(f"<script>{RUN}</script>").first).to_be_visible()
    await ada.page.reload()
    await expect(ada.page.locator('[data-testid="message"][data-seq]')).not_to_have_count(0)
    await nothing_escaped(ada)
    for link in await ada.page.locator(".markdown a").all():
        assert await link.get_attribute("href") in (None, "https://tracker.invalid/pixel.png")


async def test_html_in_names_titles_and_quotes_is_shown_as_it_is(
    server: StartBrowserServer, visit: Visit
) -> None:
    name = f"<img src=x onerror={RUN}>"
    title = f"<script>{RUN}</script><b>{'W' * 70}"
    chat = await server()
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat(title, visibility="public")
    eve = await (await visit(chat, name)).enter()
    await eve.at("discover").click()
    await eve.at("public-session").filter(has_text="<script>").click()
    await eve.ready()
    await expect(eve.at("room-title")).to_have_text(title)
    await eve.at("composer").press_sequentially("<b>hm")
    await expect(ada.at("typing")).to_have_text(f"{name} is typing…")
    await eve.at("composer").press("Enter")
    await expect(ada.message("<b>hm").first).to_have_attribute("data-sender", name)
    await ada.message("<b>hm").first.hover()
    await ada.message("<b>hm").first.get_by_test_id("reply-to").click()
    await ada.say("no")
    await expect(eve.page.locator(".quote")).to_have_text(f"{name} <b>hm")
    await expect(ada.at("notice").filter(has_text=f"{name} joined")).to_be_visible()
    await expect(ada.page.locator(f'[data-session-id="{session_id}"]')).to_contain_text(title)
    for visitor in (ada, eve):
        await nothing_escaped(visitor)


async def test_wide_content_scrolls_inside_its_own_frame(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server(text_chars=50_000)
    ada = await (await visit(chat, "N" * 40)).enter()
    await ada.start_chat("T" * 100, bot="")
    wide = [
        "",  # Nothing said yet: the title and the notices alone.
        "W" * 4000,
        "```\n" + "code " * 400 + "\n```",
        "|" + " column |" * 40 + "\n|" + " --- |" * 40 + "\n|" + " value |" * 40,
        "https://example.org/" + "path" * 300,
        "> " * 15 + "deep",
        "\n".join("  " * depth + "- item" for depth in range(30)),
    ]
    for number, text in enumerate(wide):
        if text:
            await ada.say(text)
        await expect(ada.page.locator('[data-state="sent"]')).to_have_count(number)
        for width in (1280, 360):
            await ada.page.set_viewport_size({"width": width, "height": 740})
            assert await ada.page.evaluate(OVERFLOW) <= 0, text[:20]
            assert await ada.scroll("it.scrollWidth - it.clientWidth") <= 0, text[:20]


async def test_code_is_coloured_and_can_be_copied(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await ada.say("show me")
    bot.say("Like this:\n\n```python\ndef tea(cups):\n")
    code = ada.at("reply-streaming").locator("pre code")
    await expect(code).to_contain_text("def tea")
    await expect(code.locator(".hljs-keyword")).to_have_text("def")
    bot.say('    return "hot" if cups < 3 ', 'else "cold"\n```\n\nThat is **all**.').end()
    answer = ada.message("That is all.")
    await expect(answer.locator(".hljs-keyword")).to_have_text(["def", "return", "if", "else"])
    await expect(answer.get_by_test_id("copy-code")).to_have_count(1)
    await answer.get_by_test_id("copy-code").click()
    await expect(answer.get_by_test_id("copy-code")).to_have_text("Copied")
    copied = await ada.page.evaluate("navigator.clipboard.readText()")
    assert copied == 'def tea(cups):\n    return "hot" if cups < 3 else "cold"'
    await expect(answer.get_by_test_id("copy-code")).to_have_text("Copy")


async def test_markdown_is_shown_as_such_and_links_open_apart(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    await ada.start_chat(bot="")
    await ada.say(
        "# Heading\n\n**strong** _em_ ~~gone~~ `code`\n\n1. one\n2. two\n\n> quoted\n\n"
        "[a link](https://example.org/a?b=c) and https://example.com\n\n- [x] done\n\n"
        "| a | b |\n| - | - |\n| 1 | 2 |"
    )
    message = ada.message("strong")
    for tag in ("h1", "strong", "em", "del", "p > code", "ol > li", "blockquote", "table td"):
        await expect(message.locator(f".markdown {tag}").first).to_be_visible()
    links = message.locator("a")
    await expect(links).to_have_count(2)
    await expect(links.first).to_have_attribute("href", "https://example.org/a?b=c")
    for link in await links.all():
        assert await link.get_attribute("target") == "_blank"
        assert await link.get_attribute("rel") == "noopener noreferrer"


async def test_a_text_that_would_choke_the_parser_leaves_the_page_alive(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    chat = await server()
    bob = await connect(chat, "Bob")
    made = await bob.do("create_session", visibility="link", bot=None)
    session_id = made["session"]["id"]
    chokers = [">" * 15_000, "*" * 15_000, "[" * 15_000, "`" * 15_001, "a\n" + "- " * 7_000]
    for text in (*chokers, "-" * 15_000, "_a_" * 5_000, "| a " * 2_500 + "\n" + "|-" * 2_500):
        await bob.say(session_id, text)
    ada = await (await visit(chat)).enter(f"/#/s/{session_id}")
    await bob.say(session_id, "still here")
    await expect(ada.message("still here")).to_be_visible()
    await ada.say("so am I")
    await eventually(lambda: bob.inbox.all("message_created", text="so am I"), what="Bob hears it")
