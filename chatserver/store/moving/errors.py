"""What ends a copy.

CopyRefused                 nothing was touched
├── SourceMissing           there is no such database
├── SameDatabase            source and target are one
├── TargetNotEmpty          the target holds something else
├── OtherCopy               the target is the unfinished copy of another source
└── TargetInUse             others are connected to the target
CopyBroken                  it can go on from where it is
├── Unstorable              a row of the source does not fit into the target
├── SideFailed              one of the databases did not do what was asked
└── CopiesDiffer            the target does not hold what the source does
"""


class CopyRefused(Exception):
    pass


class SourceMissing(CopyRefused):
    pass


class SameDatabase(CopyRefused):
    pass


class TargetNotEmpty(CopyRefused):
    """Says in which table."""


class OtherCopy(CopyRefused):
    """Says of which source."""


class TargetInUse(CopyRefused):
    """Says by whom."""


class CopyBroken(Exception):
    pass


class Unstorable(CopyBroken):
    """Says which table, row and column, and why."""


class SideFailed(CopyBroken):
    def __init__(self, shown: str, reason: str) -> None:
        super().__init__(reason)
        self.shown = shown
        """The URL of the side, without what is secret in it."""


class CopiesDiffer(CopyBroken):
    def __init__(self, tables: list[str]) -> None:
        super().__init__(", ".join(tables))
        self.tables = tables
