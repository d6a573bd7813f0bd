"""Replies that are under way for seconds, whenever they are needed."""

from tests.faults.double import AT_LENGTH
from tests.faults.scene import Scene
from tests.raw import RawClient


async def replies_everywhere(scene: Scene) -> None:
    """Returns while everyone who writes replies writes as many as they can."""
    asker = RawClient("asker")
    await asker.connect(scene.url, {"token": await scene.instances[0].token("Asker")})
    try:
        for _ in range(scene.most_replies):
            made = await asker.do("create_session", bot=scene.bot)
            await asker.say(made["session"]["id"], AT_LENGTH)
    finally:
        await asker.close()
    await scene.replying(scene.most_replies)
