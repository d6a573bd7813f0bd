import asyncio

from chatserver.client import ChatClient, ChatSession, EventType


async def texts(session: ChatSession, messages: int) -> list[str]:
    heard = list[str]()
    async for event in session.events():
        if event.type is EventType.MESSAGE_CREATED:
            heard.append(event.data["text"])
        if len(heard) == messages:
            break
    return heard


async def main(url: str = "http://127.0.0.1:8000") -> None:
    async with ChatClient(url, name="Ada") as client:
        tea = await client.create_session("Tea", bot="echo")
        coffee = await client.create_session("Coffee", bot="echo")
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            readers = [group.create_task(texts(each, 2)) for each in (tea, coffee)]
            group.create_task(tea.send("green or black?"))
            group.create_task(coffee.send("with milk?"))
        for reader in readers:
            print(reader.result())
        mine = await client.list_sessions()
        print(sorted(session.title for session in mine.sessions))


if __name__ == "__main__":
    asyncio.run(main())

# ['green or black?', 'green or black?']
# ['with milk?', 'with milk?']
# ['Coffee', 'Tea']
