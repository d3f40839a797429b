"""What a body may say is what its command needs beside the path: no field more, none fewer."""

from dataclasses import MISSING, fields, is_dataclass

import msgspec
import pytest

from services.dispatch.api import bodies
from services.dispatch.api.examples import EXAMPLES
from services.dispatch.domain import adjustments as of_centres
from services.dispatch.domain import commands
from services.dispatch.domain.commands import ActorCommand
from services.dispatch.domain.transitions import TRANSITIONS
from shared.contracts import adjustments, dispatch, rectification
from shared.contracts.validation import decode
from shared.kernel.errors import Unreadable

BODIES: dict[type[ActorCommand], type[bodies.Act]] = {
    dispatch.SignLeg: bodies.Signing,
    dispatch.FeedBackLeg: bodies.Feedback,
    dispatch.RequestLegReturn: bodies.ReturnRequest,
    commands.DecideLegReturn: bodies.ReturnDecision,
    commands.RuleLeg: bodies.Ruling,
    adjustments.RequestLegExtension: bodies.ExtensionRequest,
    of_centres.DecideLegExtension: bodies.ExtensionDecision,
    adjustments.RequestLegSuspension: bodies.SuspensionRequest,
    of_centres.EndorseLegSuspension: bodies.SuspensionEndorsement,
    of_centres.DecideLegSuspension: bodies.SuspensionDecision,
    adjustments.ResumeLeg: bodies.Resumption,
    commands.SendLegBack: bodies.SendingBack,
    commands.WaiveLeg: bodies.Waiver,
    rectification.OrderRectification: bodies.RectificationOrder,
    rectification.ClaimRectification: bodies.RectificationClaim,
    rectification.RecordReinspection: bodies.Reinspection,
    rectification.RecordEnforcement: bodies.Enforcement,
    adjustments.AnswerSupervision: bodies.SupervisionAnswer,
    adjustments.AppealLeg: bodies.Appealing,
    of_centres.ReviewLegAppeal: bodies.AppealReview,
    commands.DispatchCase: bodies.HandDispatch,
    commands.AddLegs: bodies.MoreLegs,
    commands.AssignCheck: bodies.CheckAssignment,
    commands.CheckCase: bodies.Check,
    commands.CloseCase: bodies.Closing,
    of_centres.ProposeVoid: bodies.VoidProposal,
    of_centres.DecideVoid: bodies.VoidDecision,
    of_centres.ReopenCase: bodies.Reopening,
    of_centres.SuperviseCase: bodies.Supervising,
    of_centres.EscalateCase: bodies.Escalation,
    of_centres.MergeCase: bodies.Merging,
    of_centres.UnmergeCase: bodies.Unmerging,
}
IN_THE_PATH = {"case_id", "leg"}


def needed(command: type[ActorCommand]) -> dict[str, bool]:
    """The fields of the command, and which must be given."""
    if is_dataclass(command):
        return {field.name: field.default is MISSING for field in fields(command)}
    return {field.name: field.required for field in msgspec.structs.fields(command)}


@pytest.mark.parametrize("command", BODIES, ids=lambda command: command.__name__)
def test_a_body_says_what_its_command_needs(command: type[ActorCommand]) -> None:
    said = {field.name: field.required for field in msgspec.structs.fields(BODIES[command])}
    wanted = {name: required for name, required in needed(command).items() if name not in IN_THE_PATH}
    assert said.keys() == wanted.keys()
    left_out = {name for name, required in wanted.items() if required and not said[name]}
    assert left_out == ({"support"} if command is commands.DispatchCase else set())


def test_every_act_has_a_body_and_an_example() -> None:
    assert set(BODIES) == set(TRANSITIONS) == set(EXAMPLES)


@pytest.mark.parametrize("command", BODIES, ids=lambda command: command.__name__)
def test_every_field_error_of_a_body_is_named_at_once(command: type[ActorCommand]) -> None:
    required = {field.name for field in msgspec.structs.fields(BODIES[command]) if field.required}
    with pytest.raises(Unreadable) as refused:
        decode(BODIES[command], b'{"expected_revision": "one", "hat": true}')
    assert {error.field for error in refused.value.errors} == {"expected_revision", "hat", *required}
