"""What each party of a campaign does next, as pure functions of the problem and what the party can see."""

from dataclasses import dataclass
from typing import Final, Literal

from deploy.campaign.plan import FailedCheck, ReturnRequested, Silent, Unaccepted, Unchecked, Unfinished
from deploy.campaign.problems import Problem

PERSISTENCE: Final = 3
"""How many failed checks it takes until a unit that fails `for ever` gives up."""

LegAct = Literal["sign", "feed_back", "request_return"]
LegState = Literal["assigned", "handling", "return_pending", "suspended", "fed_back", "waived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the duty leader decides about a return: refused, or upheld to another unit."""

    to_unit: str | None


def act_on_leg(problem: Problem, *, unit: str, state: LegState, failures: int) -> LegAct | None:
    """Return what the unit does about its leg; None when it does nothing (any more).

    `failures` is how many checks have sent the leg back so far.
    """
    match problem.deviation:
        case Silent(unit=silent) if silent == unit:
            return None
        case Unfinished(unit=slow) if slow == unit and state == "handling":
            return None
        case ReturnRequested(unit=returning) if returning == unit and state == "assigned":
            return "request_return"
        case FailedCheck(times="for ever") if unit == problem.lead and failures >= PERSISTENCE:
            return None
        case _ if state == "assigned":
            return "sign"
        case _ if state == "handling":
            return "feed_back"
        case _:
            return None


def accepts(problem: Problem) -> bool:
    """Tell whether an acceptor takes up this report of an untrusted source."""
    return not isinstance(problem.deviation, Unaccepted)


def ruling(problem: Problem) -> Ruling | None:
    """Return how the duty leader rules on the return that a unit asked for; None when nobody rules."""
    match problem.deviation:
        case ReturnRequested(ruling="undecided"):
            return None
        case ReturnRequested(to_unit=to_unit):
            return Ruling(to_unit=to_unit)
        case _:
            return Ruling(to_unit=None)


def waives(problem: Problem, unit: str) -> bool:
    """Tell whether the duty leader releases this unit from its support leg."""
    match problem.deviation:
        case Silent(unit=slow, waived=True) | Unfinished(unit=slow, waived=True):
            return slow == unit
        case _:
            return False


def finds_it_gone(problem: Problem, failures: int) -> bool | None:
    """Tell what the collector finds on site after `failures` failed checks; None when nobody goes to look."""
    match problem.deviation:
        case Unchecked():
            return None
        case FailedCheck(times="for ever"):
            return False
        case FailedCheck(times=int(times)):
            return failures >= times
        case _:
            return True
