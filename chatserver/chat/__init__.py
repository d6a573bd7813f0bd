"""The domain: what a chat is and who may do what in it.

Imports only the standard library and pydantic. Everything that touches a socket, a database or a
model lives elsewhere and reaches the domain through the protocols of `ports`.
"""
