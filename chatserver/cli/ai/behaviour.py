"""What an AI does, whatever the door and the bot."""

import asyncio
import secrets

from chatserver.cli.ai.conversation import Conversation
from chatserver.cli.ai.door import Door
from chatserver.cli.ai.ideas import Ideas
from chatserver.cli.ai.pace import Pace
from chatserver.cli.ai.turns import Turns
from chatserver.cli.ai.voice import Voice


async def answer_lines(door: Door, turns: Turns, talk: Conversation, voice: Voice) -> None:
    """Answers whenever it is its turn, until the room ends.

    One line after the other: what is said while the bot thinks waits where the door keeps it, so
    each answer is to the talk as it stood at its line, and nothing piles up here.
    """
    async for line in door.heard():
        talk.heard(line)
        if turns.due(line):
            text = await voice.answer(talk.answering())
            if text is not None:
                # The key is the line's: an answer to it is said once, however often we start.
                await door.say(text, f"ai-{line.number}")
                talk.said(text)


async def speak_up(door: Door, pace: Pace, talk: Conversation, ideas: Ideas) -> None:
    """Says something whenever it is time, until the room ends."""
    speaking = asyncio.create_task(_speak(door, pace, talk, ideas))
    listening = asyncio.create_task(_listen(door, talk))
    both = (speaking, listening)
    try:
        done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
    for task in done:
        task.result()


async def _speak(door: Door, pace: Pace, talk: Conversation, ideas: Ideas) -> None:
    run = secrets.token_urlsafe(6)
    while True:
        number = await pace.next()
        text = await ideas.next()
        if text is not None:
            await door.say(text, f"ai-{run}-{number}")
            talk.said(text)


async def _listen(door: Door, talk: Conversation) -> None:
    async for line in door.heard():
        talk.heard(line)
