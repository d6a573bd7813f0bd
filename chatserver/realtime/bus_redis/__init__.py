"""`realtime.bus.Bus` over Redis or Valkey: one server, behind Sentinel, or a Cluster.

`address` reads the URL, `dial` connects; a `link` is a `publisher` and a `listener` on one server,
and knows by its own beats whether it is alive; `bus` spreads the channels over links.
"""
