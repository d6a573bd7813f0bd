import asyncio

from chatserver.client import ChatClient


async def main(url: str = "http://127.0.0.1:8000") -> None:
    async with ChatClient(url, name="Ada") as client:
        session = await client.create_session("Tea", bot="echo")
        prompt = await session.send("Is there tea?")
        print(f"{prompt.sender.name} said: {prompt.data['text']}")
        reply = session.reply(prompt)
        async for piece in reply:
            if piece.offset == 0:
                print("the bot says: ", end="")
            print(piece.text, end="")
        assert reply.message is not None
        print(f" (message {reply.message.seq})")


if __name__ == "__main__":
    asyncio.run(main())

# Ada said: Is there tea?
# the bot says: Is there tea? (message 4)
