"""Bots that a language model behind OpenAI's chat completions speaks for.

`bot` tells the whole story of a reply; `prompt` makes the messages; `endpoint` is whom to ask, and
`upstream` one request, read by `lines` and `chunks` and held to its time by `deadlines`; `failures`
are the ways it comes to nothing, `statuses` recognises them, `retry` waits before the next.
"""

from chatserver.bots.openai.bot import OpenAiBot
from chatserver.bots.openai.observer import ModelObserver

__all__ = ["ModelObserver", "OpenAiBot"]
