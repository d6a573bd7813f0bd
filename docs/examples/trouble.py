import asyncio

from chatserver.chat.errors import BlankText, NotFound
from chatserver.client import (
    ChatClient,
    ChatError,
    GaveUp,
    NotAcknowledged,
    NotConnected,
    ReplyFailed,
    Status,
)


def told(status: Status) -> None:
    """Hears of every change of the connection; it comes back by itself unless it gave up."""
    if isinstance(status, GaveUp) and status.error is not None:
        print("for good:", status.error)


async def main(url: str = "http://127.0.0.1:8000") -> None:
    async with ChatClient(url, name="Ada", on_status=told) as client:
        session = await client.create_session(bot="echo")
        try:
            await session.send("   ")
        except BlankText as refused:
            print(refused.code, refused.retryable)
        try:
            await client.join("no-such-session")
        except NotFound as refused:
            print(refused.code)

        try:
            sent = await session.send("hello", within=60)
        except NotAcknowledged as unsure:
            # It may have arrived. The same id is stored once, so this finds out.
            sent = await session.send("hello", unsure.client_message_id)
        try:
            async with asyncio.timeout(60):
                message = await session.reply(sent).wait()
            print("answered:", message is not None)
        except ReplyFailed as failed:
            if failed.retryable:
                await session.retry_reply(failed.reply_id)
        except ChatError as ended:
            print("the session is gone:", ended.code)

    try:
        async with ChatClient("http://127.0.0.1:9", name="Ada", connect_timeout=0.2):
            pass
    except NotConnected:
        print("nobody is there")


if __name__ == "__main__":
    asyncio.run(main())

# blank_text False
# not_found
# answered: True
# nobody is there
