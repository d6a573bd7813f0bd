"""What bots remember of what they are no longer shown: which turns are folded, what is stored."""

from dataclasses import dataclass

from chatserver.chat.models import Event
from chatserver.chat.ports import Clock, Memory, Store, Transaction

BATCH = 10
"""Turns that are folded together at least: each fold costs a call of the model."""
MOST_TURNS = 50
"""Turns that one fold takes; of more, as after a long talk without the bot, the newest."""
MEMORY_CHARS = 2000


@dataclass(frozen=True, slots=True)
class Fold:
    """Turns that are to go into a bot's memory, with what it remembers until now."""

    session_id: str
    bot: str
    memory: Memory | None
    turns: tuple[Event, ...]


class MemoryKeeper:
    """Says what is to be folded, and stores what came of it if it still holds."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def due(self, session_id: str, bot: str, shown_from: int) -> Fold | None:
        """What has fallen out since the last fold; None while it is no batch.

        The bot goes on to be shown the messages from the number `shown_from` on.
        """

        def work(tx: Transaction) -> Fold | None:
            memory = tx.memories.get(session_id, bot)
            turns = _fallen_out(tx, session_id, memory, shown_from)
            return Fold(session_id, bot, memory, turns) if len(turns) >= BATCH else None

        return await self._store.read(work)

    async def keep(self, fold: Fold, text: str) -> bool:
        """Stores the new memory. False: what it was made of has changed, and nothing was stored.

        Only so an edit or a deletion that came while the model wrote is not undone by what it
        wrote. Raises `ValueError` for a blank text.
        """
        text = text.replace("\x00", "").encode("utf-8", "ignore").decode().strip()[:MEMORY_CHARS]
        if not text:
            raise ValueError("a memory of nothing")
        last, now = fold.turns[-1].seq, self._clock.now()

        def work(tx: Transaction) -> bool:
            if tx.sessions.get(fold.session_id) is None:
                return False
            memory = tx.memories.get(fold.session_id, fold.bot)
            turns = _fallen_out(tx, fold.session_id, memory, last + 1)
            if (memory, turns) != (fold.memory, fold.turns):
                return False
            tx.memories.put(fold.session_id, fold.bot, Memory(last, text, now))
            return True

        return await self._store.transact(work)


def _fallen_out(
    tx: Transaction, session_id: str, memory: Memory | None, before: int
) -> tuple[Event, ...]:
    after = 0 if memory is None else memory.through_seq
    older = tx.log.messages(session_id, before, MOST_TURNS)
    return tuple(event for event in older if event.seq > after)
