"""Every prompt ends once and in its turn, whatever dies, stands still or fails meanwhile (G4)."""

import pytest
from hypothesis import HealthCheck, example, given, settings

from chatserver.testing import Speak
from tests.property.programs import AwaitText, Pause, Program, Send, Wait, programs
from tests.property.theatre import Theatre

TAKES_OVER_FROM_ITSELF = Program(
    sessions=2,
    turns=0,
    hints=False,
    scripts=((Speak(("on",) * 60, pace=0.4),) * 4,),
    steps=((Send(0), Send(1)), (AwaitText(),), (Pause(0, 25),), (Wait(40),)),
)
"""A worker that stood still claims its own reply anew, before it learns that it had lost it."""


# On a machine with much else to do; alone it takes half a minute.
@pytest.mark.timeout(600)
@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@example(program=TAKES_OVER_FROM_ITSELF)
@given(program=programs)
def test_every_prompt_ends_once_and_in_its_turn(theatre: Theatre, program: Program) -> None:
    assert theatre.complaints(program) == []
