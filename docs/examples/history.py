import asyncio

from chatserver.client import ChatClient, EventType, spans


async def main(url: str = "http://127.0.0.1:8000") -> None:
    async with ChatClient(url, name="Ada") as client:
        session = await client.create_session(bot=None)
        for number in range(5):
            await session.send(f"cup {number} of green tea")

        # Backwards through the log, a page at a time.
        before, texts = None, list[str]()
        while True:
            page = await session.history(before_seq=before, limit=2)
            texts += [
                event.data["text"]
                for event in reversed(page.events)
                if event.type is EventType.MESSAGE_CREATED
            ]
            if page.complete:
                break
            before = page.events[0].seq
        print(len(texts), "messages, the newest:", texts[0])

        # By words; looks at so many events of the log at most, and says where to go on.
        found = await session.search("TEA cup", limit=2)
        for message in found.messages:
            text = message.data["text"]
            print(message.seq, [text[start:end] for start, end in spans("TEA cup", text)])
        more = await session.search("TEA cup", before_seq=found.next)
        print(len(more.messages), "more, and then:", more.next)


if __name__ == "__main__":
    asyncio.run(main())

# 5 messages, the newest: cup 4 of green tea
# 6 ['cup', 'tea']
# 5 ['cup', 'tea']
# 3 more, and then: None
