"""Our server, without the lock that keeps a SQLite file to one: for several instances on one.

python instance.py [arguments of serve]
"""

import sys
from pathlib import Path

import chatserver.app
from chatserver.cli import main


class NoLock:
    def __init__(self, database: Path) -> None: ...
    def acquire(self) -> None: ...
    def release(self) -> None: ...


if __name__ == "__main__":
    # The composition root has no seam for this, and the product needs none.
    vars(chatserver.app)["FileLock"] = NoLock
    main(["serve", *sys.argv[1:]])
