"""What the domain needs from outside, as protocols with their promises.

A `Transaction` holds the store's vocabulary, a protocol to each noun, all bound to the same
database transaction.
"""

from chatserver.chat.ports.access import Invites, TokenRecord, Tokens
from chatserver.chat.ports.archives import Archives
from chatserver.chat.ports.bots import Bot, BotError, Bots, RememberingBot, ReplyContext, unpaid
from chatserver.chat.ports.clock import Clock
from chatserver.chat.ports.feed import Feed, ReplyNudge
from chatserver.chat.ports.log import Log, ParticipantCount
from chatserver.chat.ports.memories import Memories, Memory
from chatserver.chat.ports.replies import Claim, Contended, Replies
from chatserver.chat.ports.sessions import Members, Sessions
from chatserver.chat.ports.store import (
    Appended,
    Commit,
    CommitListener,
    MessageDraft,
    Store,
    Transaction,
)
from chatserver.chat.ports.summaries import Summarizer, Titler
from chatserver.chat.ports.usage import Asked, Usage
from chatserver.chat.ports.visitors import Visitor, Visitors

__all__ = [
    "Appended",
    "Archives",
    "Asked",
    "Bot",
    "BotError",
    "Bots",
    "Claim",
    "Clock",
    "Commit",
    "CommitListener",
    "Contended",
    "Feed",
    "Invites",
    "Log",
    "Members",
    "Memories",
    "Memory",
    "MessageDraft",
    "ParticipantCount",
    "RememberingBot",
    "Replies",
    "ReplyContext",
    "ReplyNudge",
    "Sessions",
    "Store",
    "Summarizer",
    "Titler",
    "TokenRecord",
    "Tokens",
    "Transaction",
    "Usage",
    "Visitor",
    "Visitors",
    "unpaid",
]
