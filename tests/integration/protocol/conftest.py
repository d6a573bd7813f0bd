"""The events of the protocol are the same over each transport, on each database, on many instances.

In a run of all tests, behind a balancer are those modules whose promises many instances can break.
`pytest --behind haproxy-3 tests/integration/protocol` puts every test there, over each transport.
"""

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
WEBSOCKET_ALONE = {"test_a_member_who_does_not_read_is_cut_off_and_slows_nobody"}
"""One who polls and does not read does not poll: the tests of the engine have that."""
ON_POSTGRES = {"test_asking_again"}
"""Beside those behind a balancer, which are on PostgreSQL, too."""
SHAPES = {"event", "payload"}
"""Parameters of tests that try wrong payloads, which are read alike whatever they came by."""
BEHIND_BALANCER = {
    "test_isolation": TRANSPORTS[:2],
    "test_joining": TRANSPORTS[:2],
    "test_messages": TRANSPORTS[:2],
    "test_presence": TRANSPORTS[:2],
    "test_replies": TRANSPORTS[:1],
    "test_sessions": TRANSPORTS[:1],
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" not in metafunc.fixturenames:
        return
    connects = "connect" in metafunc.fixturenames
    behind = metafunc.config.getoption("--behind")
    module = metafunc.module.__name__.rpartition(".")[2]
    if behind is not None:
        one = not connects or metafunc.function.__name__ in WEBSOCKET_ALONE
        ways = [(way, behind) for way in (TRANSPORTS[:1] if one else TRANSPORTS)]
    else:
        # An upgrade ends in a WebSocket: what comes after it needs trying with few events only.
        count = 3 if module == "test_messages" else 2 if module in OVER_EACH else 1
        if SHAPES & set(metafunc.fixturenames):
            count = 1
        ways = [(way, "sqlite") for way in TRANSPORTS[:count]]
        if module in ON_POSTGRES:
            ways.append((TRANSPORTS[0], "postgres"))
        # Who may send which event is decided by one instance alone.
        if connects and "event" not in metafunc.fixturenames:
            ways += [(way, "haproxy-3") for way in BEHIND_BALANCER.get(module, ())]
    ids = [f"{' '.join(way)} {backend}" for way, backend in ways]
    if connects:
        metafunc.parametrize(("transports", "backend"), ways, ids=ids)
    else:
        backends = list(dict.fromkeys(backend for _, backend in ways))
        metafunc.parametrize("backend", backends)
