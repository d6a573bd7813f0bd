"""When it is an AI's turn to answer. Pure."""

from chatserver.cli.ai.line import Line, Speaker


class Turns:
    """Every `n` lines of people it is its turn: after n, 2n, 3n, and at no other line.

    Neither notices nor other AIs count, nor what was said before it came. A line that is heard
    again, as after a restart of the server, counts once.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._counted = 0
        self._newest = 0

    def due(self, line: Line) -> bool:
        """Whether this line, heard now, is to be answered."""
        if line.past or line.speaker is not Speaker.PERSON or line.number <= self._newest:
            return False
        self._newest = line.number
        self._counted += 1
        return self._counted % self._n == 0
