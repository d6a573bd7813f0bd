"""Replies as they are being said: assembled by offset from what is heard."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from chatserver.chat.events import (
    ReplyDelta,
    ReplyFinished,
    ReplyStarted,
    ReplyStopped,
    Signal,
)
from chatserver.chat.models import Event, EventType, Reply, ReplyOutcome, ReplyState
from chatserver.client.errors import ReplyFailed

REMEMBERED = 200
"""Replies whose text is kept. Ended ones are forgotten before running ones, old before new."""


class GrowingReply:
    """One reply as far as it was heard. Deltas may repeat, be lost, or belong to an old attempt."""

    def __init__(self, reply_id: str, prompt_seq: int | None) -> None:
        self.reply_id = reply_id
        self.prompt_seq = prompt_seq
        self.bot: str | None = None
        self.text = ""
        self.attempt = 0
        self.rewritten = 0
        """How often the text was replaced instead of continued."""
        self.ended = False
        self.stopped = False
        self.message: Event | None = None
        self.failure: ReplyFailed | None = None

    def begin(self, attempt: int) -> None:
        if attempt > self.attempt:
            self.attempt = attempt
            self._rewrite("")

    def add(self, attempt: int, offset: int, text: str) -> None:
        self.begin(attempt)
        # What comes after a hole waits for the next snapshot or for the final text.
        if attempt == self.attempt and offset <= len(self.text) and not self.ended:
            self.text += text[len(self.text) - offset :]

    def finish(self, message: Event) -> None:
        """The stored message is the truth, whatever was streamed. After a failed one comes why."""
        final = str(message.data.get("text", ""))
        if final.startswith(self.text):
            self.text = final
        else:
            self._rewrite(final)
        self.message = message
        self.stopped = bool(message.data.get("stopped"))
        self.ended = not message.data.get("failed")

    def settle(self, outcome: ReplyOutcome) -> None:
        """What is stored of it; changes nothing while it has not ended."""
        if not outcome.state.terminal:
            return
        if outcome.message is not None:
            self.finish(outcome.message)
        if (why := outcome.error) is not None:
            self.failure = ReplyFailed(
                self.reply_id, why.code, why.message, retryable=why.retryable
            )
        self.stopped = outcome.state is ReplyState.STOPPED
        self.ended = True

    def _rewrite(self, text: str) -> None:
        if self.text:
            self.rewritten += 1
        self.text = text


class Replies:
    """All replies of one session that were heard of lately."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.interrupted = 0
        """How often it became worth asking how a reply stands, as after events that were missed."""
        self.doubtful: set[str] = set()
        """Heard of, and neither ended nor running as far as the last join said."""
        self._known: OrderedDict[str, GrowingReply] = OrderedDict()

    def find(
        self, prompt_seq: int | None, reply_id: str | None, bot: str | None = None
    ) -> GrowingReply | None:
        """That reply, or the newest to that prompt: of that bot, if one is named."""
        if reply_id is not None:
            return self._known.get(reply_id)
        replies = self._known.values()
        found = [r for r in replies if r.prompt_seq == prompt_seq and bot in (None, r.bot)]
        return found[-1] if found else None

    def running(self) -> list[GrowingReply]:
        return [reply for reply in self._known.values() if not reply.ended]

    def snapshot(self, running: Iterable[Reply]) -> None:
        """What a join said: the running replies, each with its text so far."""
        listed = list(running)
        for reply in listed:
            self._get(reply.reply_id, reply.prompt_seq, reply.bot).add(reply.attempt, 0, reply.text)
        self.interrupted += 1
        self.doubtful = {r.reply_id for r in self.running()} - {r.reply_id for r in listed}
        self.notify()

    def settle(self, outcome: ReplyOutcome) -> None:
        """What a look-up said. Of a reply that has not ended, what comes will say it."""
        if outcome.state.terminal:
            self._get(outcome.reply_id, outcome.prompt_seq, outcome.bot).settle(outcome)
            self.notify()

    def hear(self, signal: Signal) -> None:
        match signal:
            case ReplyStarted():
                started = self._get(signal.reply_id, signal.prompt_seq, signal.bot.name)
                started.begin(signal.attempt)
            case ReplyDelta():
                self._get(signal.reply_id, None).add(signal.attempt, signal.offset, signal.text)
            case ReplyStopped(seq=None):
                reply = self._get(signal.reply_id, None)
                reply.stopped = reply.ended = True
                if reply.prompt_seq is None:
                    # It ended before its turn: who waits for it knows only what it answers.
                    self.interrupted += 1
            case ReplyStopped() | ReplyFinished():
                # Its message came before; where it was missed, the log has it.
                if not self._get(signal.reply_id, None).ended:
                    self.interrupted += 1
            case _:
                return
        self.notify()

    def read(self, event: Event) -> None:
        """The durable end of a reply: its message, or its failure."""
        data = event.data
        if event.type is EventType.MESSAGE_CREATED and "reply_id" in data:
            self._get(data["reply_id"], data.get("reply_to"), event.sender.name).finish(event)
        elif event.type is EventType.REPLY_FAILED:
            reply = self._get(data["reply_id"], data["prompt_seq"], event.sender.name)
            reply.failure = ReplyFailed(
                data["reply_id"], data["code"], data["message"], retryable=data["retryable"]
            )
            reply.ended = True
        else:
            return
        self.notify()

    def notify(self) -> None:
        """Wakes everybody who waits for a change."""
        self.changed.set()
        self.changed = asyncio.Event()

    def _get(self, reply_id: str, prompt_seq: int | None, bot: str | None = None) -> GrowingReply:
        reply = self._known.get(reply_id)
        if reply is None:
            reply = self._known[reply_id] = GrowingReply(reply_id, prompt_seq)
            if len(self._known) > REMEMBERED:
                self._forget_one()
        if prompt_seq is not None:
            reply.prompt_seq = prompt_seq
        if bot is not None:
            reply.bot = bot
        return reply

    def _forget_one(self) -> None:
        ended = (reply_id for reply_id, reply in self._known.items() if reply.ended)
        oldest = next(iter(self._known))
        del self._known[next(ended, oldest)]
