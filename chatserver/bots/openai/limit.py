"""The field of a request that bounds its answer."""

LIMIT = "max_tokens"
"""Its older name, and ours."""
NEWER = "max_completion_tokens"


class LimitField:
    """Its name at one endpoint.

    OpenAI's newer models refuse the old name; few of the endpoints that resemble it know the new
    one. An endpoint that does not know the first guess is asked by the other name from then on.
    """

    def __init__(self, host: str | None) -> None:
        self.name = NEWER if host == "api.openai.com" else LIMIT
        self._renamed = False

    def refused(self, name: str) -> bool:
        """A request that had it by this name was refused; whether another name is to be tried."""
        if name == self.name and not self._renamed:
            self.name = LIMIT if name == NEWER else NEWER
            self._renamed = True
        return name != self.name
