"""The events of the protocol are the same over each transport and on each database."""

import pytest

TRANSPORTS = [("websocket",), ("polling",), ("polling", "websocket")]
OVER_EACH = {
    "test_acks",
    "test_isolation",
    "test_joining",
    "test_messages",
    "test_presence",
    "test_replies",
    "test_sessions",
}
ON_POSTGRES = {
    "test_asking_again",
    "test_joining",
    "test_messages",
    "test_replies",
    "test_sessions",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in OVER_EACH and "connect" in metafunc.fixturenames:
        each = [pytest.param(way, "sqlite", id=" ".join(way)) for way in TRANSPORTS]
        if module in ON_POSTGRES:
            each.append(pytest.param(TRANSPORTS[0], "postgres", id="postgres"))
        metafunc.parametrize(("transports", "backend"), each)
    elif module in ON_POSTGRES and "server" in metafunc.fixturenames:
        metafunc.parametrize("backend", ["sqlite", "postgres"])
