"""Replies that are under way for seconds, whenever they are needed."""

from chatserver.client import ChatClient
from tests.faults.double import AT_LENGTH
from tests.faults.scene import Scene

PATIENCE_SECONDS = 60.0


async def replies_everywhere(scene: Scene) -> None:
    """Returns while everyone who writes replies writes as many as they can."""
    await scene.balanced()
    async with ChatClient(scene.url, name="Asker") as asker:
        for _ in range(scene.most_replies):
            session = await asker.create_session(bot=scene.bot)
            await session.send(AT_LENGTH, within=PATIENCE_SECONDS)
    await scene.replying(scene.most_replies)
