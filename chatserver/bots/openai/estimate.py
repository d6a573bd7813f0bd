"""How many tokens a text may have, without the model's tokenizer.

Tokenizers work on UTF-8 and differ in what they join. Three bytes of ASCII to a token is what code
and JSON come to; prose has more. Other scripts are joined less, so two bytes are a token there: one
and a half to a Chinese, Japanese or Korean character, which older vocabularies need, and two to
most emoji. What that is too much for one model its `Budget` finds out.
"""

from collections.abc import Iterable

from chatserver.bots.openai.prompt import Message

ASCII_BYTES = 3
OTHER_BYTES = 2
MESSAGE_TOKENS = 5.0
"""What chat templates put around a message, and rounding up."""


def estimate(text: str) -> float:
    """Tokens of the text. The sum of two estimates is the estimate of both texts together."""
    size = len(text) if text.isascii() else len(text.encode())
    plain = size if size == len(text) else len(text.encode("ascii", "ignore"))
    return plain / ASCII_BYTES + (size - plain) / OTHER_BYTES


def estimate_messages(messages: Iterable[Message]) -> float:
    """Tokens of a whole request."""
    return sum(MESSAGE_TOKENS + estimate(message["content"]) for message in messages)
