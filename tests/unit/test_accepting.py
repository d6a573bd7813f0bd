import pytest

from chatserver.gateways.rest.accepting import EVENT_STREAM, JSON, preferred


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", EVENT_STREAM),
        ("text/event-stream", EVENT_STREAM),
        ("TEXT/Event-Stream", EVENT_STREAM),
        ("text/event-stream, */*", EVENT_STREAM),
        ("text/event-stream, application/json", JSON),
        ("text/event-stream;q=0.9, application/json;q=0.8", EVENT_STREAM),
        ("text/event-stream;q=0.8, application/json;q=0.9", JSON),
        ("text/event-stream;q=0.5, */*;q=0.9", JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        ("text/event-stream;q=0, */*", JSON),
        ("application/json;q=0, */*;q=0.1", EVENT_STREAM),
        ("text/html", None),
        ("*/*;q=0", None),
        ("application/json;q=0", None),
        ("text/event-stream;q=nonsense", JSON),
        ("nonsense", JSON),
    ],
)
def test_the_wanted_type_is_found(accept: str | None, wanted: str | None) -> None:
    assert preferred([] if accept is None else [accept], (JSON, EVENT_STREAM)) == wanted


def test_several_fields_are_one_list() -> None:
    assert preferred(["text/html", EVENT_STREAM], (JSON, EVENT_STREAM)) == EVENT_STREAM
