"""What programs can read about the protocol, made from the registries of the domain.

`schemas` describes every model once, for all documents: `asyncapi` (the events of Socket.IO),
`gateways.rest.openapi` (REST) and `typescript` (declarations for clients).
"""
