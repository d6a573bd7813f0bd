"""The fault rig's short profile. (The long one is started by hand: see `rig`.)"""

import secrets
from pathlib import Path

import pytest

from tests.faults.injected import SHORT
from tests.faults.rig import BRIEF, outcomes

pytestmark = [pytest.mark.xdist_group("rig"), pytest.mark.timeout(240)]


async def test_nothing_is_lost_while_parts_of_a_system_die_freeze_and_are_replaced(
    tmp_path: Path,
) -> None:
    seed = secrets.randbits(32)
    (outcome,) = [each async for each in outcomes([SHORT], BRIEF, seed, tmp_path)]
    assert not outcome.problems, (seed, outcome.problems)
    assert outcome.acked >= BRIEF.acked
    assert len(outcome.evidence) == len(SHORT)
