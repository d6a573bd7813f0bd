import asyncio

from chatserver.client import ChatClient, EventType


async def follow(client: ChatClient, session_id: str, seen: int) -> int:
    """Handles what comes after `seen`, until somebody says "stop"; returns what was seen."""
    session = await client.join(session_id, after_seq=seen)
    async for event in session.events():
        if event.type is EventType.MESSAGE_CREATED:
            print(event.seq, event.sender.name, event.data["text"])
        # What is remembered here is not handled again, whenever the program starts anew.
        seen = event.seq
        if event.data.get("text") == "stop":
            break
    return seen


async def main(url: str = "http://127.0.0.1:8000") -> None:
    async with ChatClient(url, name="Ada") as ada:
        room = await ada.create_session(visibility="link", bot=None)
        await room.send("one")
        await room.send("stop")
        async with ChatClient(url, name="Bob") as bob:
            seen = await follow(bob, room.id, seen=0)
            token = bob.token
        await room.send("while Bob is away")
        await room.send("stop")
        async with ChatClient(url, token=token) as bob:
            await follow(bob, room.id, seen)


if __name__ == "__main__":
    asyncio.run(main())

# 2 Ada one
# 3 Ada stop
# 5 Ada while Bob is away
# 6 Ada stop
