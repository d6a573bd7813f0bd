"""An upgrade of python-socketio that uses more of an Engine.IO server than ours offers is found."""

import inspect
import re

import pytest
import socketio
from socketio import async_manager, async_server, base_manager, base_server

from chatserver.realtime.engine.limits import EngineLimits
from chatserver.realtime.engine.server import EngineServer
from chatserver.realtime.manager import RoomManager
from chatserver.realtime.server import ChatSocketServer

USES = re.compile(r"self(?:\.server)?\.eio\.(\w+)")


def used() -> set[str]:
    modules = (async_server, base_server, async_manager, base_manager)
    return {name for module in modules for name in USES.findall(inspect.getsource(module))}


@pytest.fixture
def engine() -> EngineServer:
    return EngineServer(limits=EngineLimits(), allows_origin=lambda origin, request: False)


def test_the_scan_finds_something() -> None:
    assert {"send", "on", "attach", "generate_id"} <= used()


@pytest.mark.parametrize("name", sorted(used()))
def test_python_socketio_finds_what_it_uses(engine: EngineServer, name: str) -> None:
    assert hasattr(engine, name)


OVERRIDDEN = {
    ChatSocketServer: (
        "_engineio_server_class",
        "_handle_connect",
        "_handle_disconnect",
        "_handle_eio_disconnect",
        "_handle_eio_message",
        "_send_packet",
        "disconnect",
    ),
    RoomManager: (
        "basic_close_room",
        "basic_disconnect",
        "basic_enter_room",
        "basic_leave_room",
        "connect",
        "eio_sid_from_sid",
        "emit",
        "get_participants",
        "get_rooms",
        "is_connected",
        "is_pre_connected",
        "pre_connect",
        "pre_disconnect",
        "sid_from_eio_sid",
    ),
}


@pytest.mark.parametrize(
    ("ours", "name"), [(ours, name) for ours, names in OVERRIDDEN.items() for name in names]
)
def test_what_we_override_is_still_there_and_takes_no_more_than_ours(ours: type, name: str) -> None:
    stock = socketio.AsyncServer if ours is ChatSocketServer else socketio.AsyncManager
    theirs = inspect.signature(getattr(stock, name)).parameters
    mine = inspect.signature(getattr(ours, name)).parameters
    assert len(mine) >= len(theirs) - (1 if "kwargs" in mine else 0)


def test_the_manager_keeps_no_room_of_the_stock_one() -> None:
    """Every method of the stock manager that reads its own structures is replaced."""
    for name, method in inspect.getmembers(base_manager.BaseManager, inspect.isfunction):
        source = inspect.getsource(method)
        if re.search(r"self\.(rooms|pending_\w+|eio_to_sid)\b", source) and name not in (
            "__init__",
            "get_namespaces",
            "is_sid_room",
        ):
            replaced = getattr(RoomManager, name) is not getattr(socketio.AsyncManager, name)
            assert replaced, f"{name} looks into structures that are not filled any more"
