"""The mood of a conversation by the words in it, without a model. English only.

Polarities come from TextBlob's lexicon, which is part of the package and needs nothing else.
"""

import re
from collections.abc import Sequence

from chatserver.chat.summary import Sentiment

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
NEGATED = re.compile(r"n['\u2019]t\b", re.IGNORECASE)
"""TextBlob knows "not" alone."""
ENGLISH_SHARE = 0.1
"""Of all words, those that mark English; in running English text about twice as many do."""
POLAR = 0.2
"""From here on, -1 to 1, a message has a mood."""
MOODY_SHARE = 0.2
"""Where fewer of the messages have a mood, the conversation has none."""
MIXED_SHARE = 1 / 3
"""Where so many of the messages with a mood have the other one, both count."""

# Frequent in English, and no frequent words of its neighbours.
MARKS = frozenset(
    WORD.findall("""
    the and that you with this are not my your they we i'm it's don't can't doesn't didn't there
    how why which when who should could would been were their because about just
    """)
)


def sentiment(texts: Sequence[str]) -> Sentiment | None:
    """None where the texts are not in English, or there are none."""
    if not _english(texts):
        return None
    # Importing it takes 0.4 s, and most servers never sum up anything.
    from textblob.en.sentiments import PatternAnalyzer

    analyzer = PatternAnalyzer()
    polarities = [float(analyzer.analyze(NEGATED.sub(" not", text))[0]) for text in texts]
    positive = sum(polarity >= POLAR for polarity in polarities)
    negative = sum(polarity <= -POLAR for polarity in polarities)
    moody = positive + negative
    if moody < MOODY_SHARE * len(texts):
        return Sentiment.NEUTRAL
    if min(positive, negative) >= MIXED_SHARE * moody:
        return Sentiment.MIXED
    return Sentiment.POSITIVE if positive > negative else Sentiment.NEGATIVE


def _english(texts: Sequence[str]) -> bool:
    words = [word for text in texts for word in WORD.findall(text.lower().replace("\u2019", "'"))]
    marks = sum(word in MARKS for word in words)
    return bool(marks) and marks >= ENGLISH_SHARE * len(words)
