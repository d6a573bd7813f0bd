"""Speaking at a human pace."""

import asyncio
import re
from collections.abc import AsyncIterator


async def word_by_word(text: str, words_per_second: float) -> AsyncIterator[str]:
    """The text in pieces of one word and the space after it; joined, they are the text."""
    for position, word in enumerate(re.findall(r"\s*\S+\s*", text)):
        if position:
            await asyncio.sleep(1 / words_per_second)
        yield word
