"""Forgets what has ended long ago, so that it does not pile up for ever."""

from datetime import timedelta

from chatserver.chat.ports import Clock, Store, Transaction

KEPT = timedelta(days=30)
"""For so long after its end a token is known as one that has ended (`token_expired`)."""
AT_ONCE = 500
"""Rows of a kind that one transaction forgets: nobody else's write waits for long."""


class UpkeepDesk:
    """Tokens and invites that ended `KEPT` ago. Participants stay: their names are in logs."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def forget(self) -> bool:
        """Forgets some of them; whether there may be more. Raises `Unavailable`."""
        before = self._clock.now() - KEPT

        def work(tx: Transaction) -> int:
            return max(tx.tokens.forget(before, AT_ONCE), tx.invites.forget(before, AT_ONCE))

        return await self._store.transact(work) == AT_ONCE
