"""The mood of a conversation by its words."""

import pytest

from chatserver.chat.summary import Sentiment
from chatserver.summaries.sentiment import sentiment

GLAD = "Thanks, that works perfectly!"
CROSS = "I hate this, it is awful."
CALM = "Can we meet at noon on Tuesday?"


@pytest.mark.parametrize(
    ("texts", "mood"),
    [
        ([GLAD], Sentiment.POSITIVE),
        ([CROSS, CALM], Sentiment.NEGATIVE),
        ([CALM], Sentiment.NEUTRAL),
        ([GLAD, CROSS], Sentiment.MIXED),
        ([GLAD] * 5 + [CROSS], Sentiment.POSITIVE),
        ([CALM] * 9 + [GLAD], Sentiment.NEUTRAL),
        (["The soup isn't good."], Sentiment.NEGATIVE),
    ],
)
def test_the_mood_is_what_most_messages_with_a_mood_say(texts: list[str], mood: Sentiment) -> None:
    assert sentiment(texts) is mood


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["42"],
        ["Das ist ja furchtbar, ich hasse den Build und das Deployment."],
        ["C'est magnifique, merci beaucoup pour le super feedback !"],
        ["¡Qué horror! No me gusta nada el nuevo sistema, es terrible."],
        ["東京はとても楽しいです"],
    ],
    ids=str,
)
def test_where_the_words_are_not_english_no_mood_is_claimed(texts: list[str]) -> None:
    assert sentiment(texts) is None
