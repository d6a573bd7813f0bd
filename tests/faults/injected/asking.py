"""Replies that are under way for seconds, whenever they are needed."""

from chatserver.client import ChatClient
from tests.faults.double import AT_LENGTH
from tests.faults.scene import READY_SECONDS, Scene
from tests.waiting import eventually

PATIENCE_SECONDS = 60.0


async def replies_everywhere(scene: Scene) -> None:
    """Returns while everyone who writes replies writes as many as they can."""
    await scene.balanced()
    async with ChatClient(scene.url, name="Asker") as asker:

        async def all_write() -> bool:
            running, waiting = await scene.replies()
            # The first may have ended by the time that the last begins: more are asked for.
            if running + waiting < 2 * scene.most_replies:
                session = await asker.create_session(bot=scene.bot)
                await session.send(AT_LENGTH, within=PATIENCE_SECONDS)
            return running >= scene.most_replies

        await eventually(all_write, within=READY_SECONDS, what="everyone writes replies")
