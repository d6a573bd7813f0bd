"""The events of the protocol are the same over each transport, and tested over each."""

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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in OVER_EACH and "connect" in metafunc.fixturenames:
        metafunc.parametrize("transports", TRANSPORTS, ids=" ".join)
