"""Reading back: pages of history come in above without moving what is being read."""

import asyncio

from playwright.async_api import expect

from tests.browser.conftest import StartBrowserServer, Visit
from tests.conftest import Connect
from tests.waiting import eventually

MESSAGES = 300
TOP_MESSAGE = """(it) => {
  const top = it.getBoundingClientRect().top;
  const messages = [...it.querySelectorAll("[data-testid=message][data-seq]")];
  const seen = messages.find((message) => message.getBoundingClientRect().top >= top);
  return { seq: Number(seen.dataset.seq), y: seen.getBoundingClientRect().top };
}"""
SEQS = "(all) => all.map((message) => Number(message.dataset.seq))"


async def test_paging_upward_keeps_the_place_and_loads_everything_once(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    chat = await server()
    bob = await connect(chat, "Bob")
    made = await bob.do("create_session", title="Long", visibility="link", bot=None)
    session_id = made["session"]["id"]
    texts = [f"Message {number}\n\nof a long talk." for number in range(MESSAGES)]
    for text in texts:
        await bob.say(session_id, text)

    ada = await (await visit(chat)).enter(f"/#/s/{session_id}")
    newest = ada.message(f"Message {MESSAGES - 1}")
    await expect(newest).to_be_in_viewport()
    messages = ada.page.locator('[data-testid="message"][data-seq]')
    loaded = await messages.count()
    assert loaded < MESSAGES
    pages = 0
    while not await ada.at("beginning").count():
        # A little at a time, as a wheel does, until the next page starts to come.
        await ada.scroll("it.scrollTop = 200")
        before = await ada.at("timeline").evaluate(TOP_MESSAGE)

        async def more(seen: int = loaded) -> bool:
            return await messages.count() > seen

        await eventually(more, what="an older page")
        loaded = await messages.count()
        pages += 1
        held = ada.page.locator(f'[data-seq="{before["seq"]}"]')
        box = await held.bounding_box()
        assert box is not None
        assert abs(box["y"] - before["y"]) <= 2, f"page {pages} moved the text"
    assert pages >= 4
    seqs: list[int] = await messages.evaluate_all(SEQS)
    assert seqs == sorted(set(seqs))
    shown = [text.split("\n")[0] for _, text in await ada.transcript()]
    assert shown == [text.split("\n")[0] for text in texts]


async def test_new_messages_do_not_pull_the_reader_away_from_old_ones(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    chat = await server()
    bob = await connect(chat, "Bob")
    made = await bob.do("create_session", visibility="link", bot=None)
    session_id = made["session"]["id"]
    for number in range(60):
        await bob.say(session_id, f"Message {number}")
    ada = await (await visit(chat)).enter(f"/#/s/{session_id}")
    await expect(ada.message("Message 59")).to_be_in_viewport()

    await bob.say(session_id, "Message 60")
    await expect(ada.message("Message 60")).to_be_in_viewport()

    await ada.at("timeline").hover()
    await ada.page.mouse.wheel(0, -900)
    await expect(ada.at("jump-to-latest")).to_have_text("Latest")
    place = await ada.scroll("it.scrollTop")
    await asyncio.gather(*(bob.say(session_id, f"Late {number}") for number in range(3)))
    await expect(ada.at("jump-to-latest")).to_have_text("3 new")
    assert await ada.scroll("it.scrollTop") == place
    await ada.at("jump-to-latest").click()
    await expect(ada.message("Late 2")).to_be_in_viewport()
    await expect(ada.at("jump-to-latest")).to_have_count(0)
