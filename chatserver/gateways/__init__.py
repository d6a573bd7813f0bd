"""Every way in besides our own protocol over Socket.IO: REST, the pages, and what operators probe.

A gateway turns a request into a call of the chat service and its outcome into a response; it holds
no rules. Each takes what it needs as arguments and adds itself to an aiohttp application, or to the
Socket.IO server.
"""
