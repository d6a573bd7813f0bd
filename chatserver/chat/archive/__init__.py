"""One session as a file of JSON Lines, to be kept or to be brought to another server.

First a `Head`, then every event of the log in the one shape that events have, then the replies,
what bots remember, and an `End`. Secrets stay behind: there are no tokens and no invites in it.
"""
