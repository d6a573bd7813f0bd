"""Chats with one bot, for simple programs: question and answer in one request, under `/chats`.

The routes of `table` go through the boundary of the REST gateway, with errors of their own style.
"""

from chatserver.gateways.chats.application import setup
from chatserver.gateways.chats.table import API

__all__ = ["API", "setup"]
