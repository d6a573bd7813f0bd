"""What the others were not told for want of room or of Redis, in the least form that heals it."""

from collections import deque

from chatserver.realtime.frame import Kind, unpack

SESSIONS = 10_000
TOKENS = 1_000


class Owed:
    """Bounded: beyond, all is owed to all."""

    def __init__(self) -> None:
        self.seqs: dict[str, int] = {}
        """The highest seq of each session that was not told; 0 where only people changed."""
        self.tokens: deque[bytes] = deque(maxlen=TOKENS)
        self.everything = False

    def take(self) -> tuple[dict[str, int], list[bytes], bool]:
        """Sessions with their seq, tokens, and whether there was more; nothing is owed then."""
        taken = self.seqs, list(self.tokens), self.everything
        self.seqs, self.everything = {}, False
        self.tokens.clear()
        return taken

    def add(self, channel: str, frame: bytes) -> None:
        """A frame that was given up. What is neither event, people nor token heals by itself."""
        kind, _, _, number, body = unpack(frame)
        if kind == Kind.TOKEN:
            self.tokens.append(body)
        elif kind in (Kind.EVENT, Kind.HERE):
            session_id = channel.removeprefix("s:")
            if session_id in self.seqs or len(self.seqs) < SESSIONS:
                seq = number if kind == Kind.EVENT else 0
                self.seqs[session_id] = max(seq, self.seqs.get(session_id, 0))
            else:
                self.everything = True
