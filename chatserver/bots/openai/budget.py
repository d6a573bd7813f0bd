"""How many tokens a bot's model may be sent, as declared and as learned from its endpoint."""

import math

FORGETTING = 0.9
"""Weight of what was counted before, at each further count."""
TRUSTED_TOKENS = 1000.0
"""Estimated tokens that the first counts weigh against: a few of "Hi" prove little."""
RATIOS = (0.25, 4.0)
"""Endpoints that count further off than this count something else."""
STATED_SHARE = 0.9
"""Of a stated limit: what we send is estimated."""
STEEPEST = 8
"""The most that a refusal divides the messages before the prompt by, whatever the endpoint says."""
RECOVERY = 1.02


class Budget:
    """Of one bot, in memory.

    Estimates are calibrated by the ratio of counted to estimated tokens, both summed up with the
    older ones fading, so that a long request says more than a short one.

    A refused size is remembered for the bot, so that its next reply does not run into it again. The
    limit comes back by 2 % with each answer that it held back: a text that was harder to estimate
    than most costs context for some tens of replies instead of until a restart, and where the limit
    was right, finding it again costs one refused request in as many, for which nobody bills.
    """

    def __init__(self, declared: int | None, answer: int | None) -> None:
        """`declared` are the tokens that a request may have, `answer` those that it asks for."""
        self._declared = math.inf if declared is None else float(declared)
        self._answer = answer or 0
        self._learned = math.inf
        self._counted = self._estimated = TRUSTED_TOKENS

    @property
    def ratio(self) -> float:
        """Real tokens to an estimated one."""
        least, most = RATIOS
        return min(most, max(least, self._counted / self._estimated))

    @property
    def room(self) -> float:
        """The estimated tokens that a request may have; infinite where nothing bounds it."""
        return min(self._declared, self._learned) / self.ratio

    def counted(self, estimated: float, tokens: int) -> None:
        """The endpoint says how many tokens the estimated request had; 0: it does not."""
        if tokens > 0 and estimated > 0:
            least, most = RATIOS
            believed = min(most * estimated, max(least * estimated, float(tokens)))
            self._counted = self._counted * FORGETTING + believed
            self._estimated = self._estimated * FORGETTING + estimated

    def held_back(self) -> None:
        """A request was answered that had to leave out what the window would have shown."""
        self._learned *= RECOVERY
        if self._learned >= self._declared:
            self._learned = math.inf

    def refused(self, estimated: float, least: float, stated: int | None) -> None:
        """A request was too long; with the prompt alone it would have had `least` estimated tokens.

        `stated` is what the endpoint says that its model takes. That is a hint: it counts where it
        explains the refusal, and only so far.
        """
        size, floor = estimated * self.ratio, least * self.ratio
        limit = (size + floor) / 2
        if stated is not None:
            hint = STATED_SHARE * (stated - self._answer)
            if hint < size:
                limit = max(hint, floor + (size - floor) / STEEPEST)
        self._learned = min(self._learned, limit)
