"""Guarantees of the field: who may do what, when a case closes, what is forgotten, and what a figure says."""

from typing import Final

from tests.reliability.mutations.mutation import Mutation

_ENTITLEMENT: Final = "tests/unit/dispatch/test_entitlement.py::"
_MACHINE: Final = "tests/unit/dispatch/test_case_machine.py::TestCaseMachine::runTest"
_CHECKS: Final = "tests/unit/dispatch/test_checks.py::"
_ENDS: Final = "tests/unit/dispatch/test_ends_table.py::"
_GATE: Final = "tests/unit/dispatch/test_gate.py::"
_RECTIFICATION: Final = "tests/unit/dispatch/test_rectification.py::"
_CONTENTS: Final = "tests/unit/intake/test_contents.py::"
_INDICATORS: Final = "tests/unit/analytics/test_indicators.py::"
_ANALYTICS: Final = "tests/integration/test_analytics.py::"
_WHOLE_LIFE: Final = "tests/integration/test_analytics_whole_life.py::"
_ACTS: Final = "tests/unit/dispatch/test_consumers.py::"
_RECEPTION: Final = "tests/integration/test_ledger_reception.py::"
_LEDGER: Final = "tests/integration/test_ledger.py::"

_CASES: Final = (
    Mutation(
        name="the checker is not of a handling unit",
        invariant="I-10",
        removed="a unit that handles the case does not check it",
        file="services/dispatch/domain/transitions.py",
        text='case_states=frozenset({"checking"}),\n        apart=True,',
        replacement='case_states=frozenset({"checking"}),',
        pins=(f"{_ENTITLEMENT}test_the_one_who_handles_never_checks_and_never_closes",),
        every_run=True,
    ),
    Mutation(
        name="the handler is a person too",
        invariant="I-10",
        removed="the person who fed back does not check under another hat",
        file="services/dispatch/domain/transitions.py",
        text=" or (actor.person is not None and actor.person in case.handlers)",
        replacement="",
        pins=(f"{_ENTITLEMENT}test_the_person_who_fed_back_checks_under_no_other_hat",),
    ),
    Mutation(
        name="the handler never closes",
        invariant="I-10",
        removed="a unit that handles the case does not close it",
        file="services/dispatch/domain/transitions.py",
        text="posts=_DUTY_LEADER, case_states=_AT_WORK, apart=True)",
        replacement="posts=_DUTY_LEADER, case_states=_AT_WORK)",
        pins=(f"{_ENTITLEMENT}test_the_one_who_handles_never_checks_and_never_closes",),
    ),
    Mutation(
        name="no unit picks its checker",
        invariant="I-10",
        removed="only the unit that was chosen for it checks a case",
        file="services/dispatch/domain/acts/checks.py",
        text="if case.check is None or case.check.unit != acting.by.unit:",
        replacement="if case.check is None:",
        pins=(f"{_CHECKS}test_only_collectors_of_the_assigned_unit_check",),
    ),
    Mutation(
        name="no handling unit is chosen",
        invariant="I-10",
        removed="the rule chooses no unit that handles the case",
        file="services/dispatch/domain/checkers.py",
        text=" and unit.code not in handling",
        replacement="",
        pins=("tests/unit/dispatch/test_checkers.py::test_a_unit_that_handles_the_case_never_checks_it",),
    ),
    Mutation(
        name="who proposes does not decide",
        invariant="I-10",
        removed="a case is voided by another person than who proposed it",
        file="services/dispatch/domain/acts/endings.py",
        text="if proposal.by.post == acting.by.post or same_person(proposal.by, acting.by):",
        replacement="if proposal.by.post == acting.by.post:",
        pins=("tests/unit/dispatch/test_endings.py::test_the_proposer_does_not_decide_in_another_post",),
    ),
    Mutation(
        name="every leg is done",
        invariant="I-11",
        removed="a case with an open leg does not close",
        file="services/dispatch/domain/gate.py",
        text="if not leg.done",
        replacement='if leg.state == "assigned"',
        pins=(f"{_GATE}test_every_leg_is_done_or_waived",),
        every_run=True,
    ),
    Mutation(
        name="one lead",
        invariant="I-11",
        removed="a case has exactly one lead leg",
        file="services/dispatch/domain/gate.py",
        text="if leads != 1:",
        replacement="if leads == 0:",
        pins=(f"{_GATE}test_a_case_has_exactly_one_lead_leg",),
    ),
    Mutation(
        name="a re-inspection has passed",
        invariant="I-11",
        removed="a case does not close before every ordered re-inspection has passed",
        file="services/dispatch/domain/gate.py",
        text="if leg.rectifying",
        replacement='if leg.rectifying and leg.state == "assigned"',
        pins=(f"{_GATE}test_every_ordered_re_inspection_has_passed",),
    ),
    Mutation(
        name="an order holds the feedback",
        invariant="I-11",
        removed="a leg is not fed back before what it has ordered by law is cleared",
        file="services/dispatch/domain/transitions.py",
        text="leg_states=_IN_HANDLING,\n        rectification=NOTHING_ORDERED,\n        own_leg=True,",
        replacement="leg_states=_IN_HANDLING,\n        own_leg=True,",
        pins=(f"{_RECTIFICATION}test_every_act_has_one_outcome_wherever_the_order_of_a_leg_stands",),
    ),
    Mutation(
        name="no suspension stops the law",
        invariant="I-12",
        removed="the limits that the law sets run while a leg is suspended",
        file="services/dispatch/domain/clocks.py",
        text="        return _of_rectification(leg)\n",
        replacement="        return []\n",
        pins=(f"{_RECTIFICATION}test_a_suspension_stops_no_limit_that_the_law_sets",),
    ),
    Mutation(
        name="a check has passed",
        invariant="I-11",
        removed="a case that nobody has checked does not close",
        file="services/dispatch/domain/gate.py",
        text="if case.checked_by is None and not on_papers:",
        replacement="if case.opened is None:",
        pins=(f"{_GATE}test_a_check_has_passed",),
    ),
    Mutation(
        name="the gate is asked",
        invariant="I-11",
        removed="closing asks the gate",
        file="services/dispatch/domain/acts/endings.py",
        text="    found = obstacles(case, on_papers=command.on_papers)\n",
        replacement="    found = obstacles(case, on_papers=command.on_papers)[:0]\n",
        pins=(f"{_ENDS}test_every_act_has_one_outcome_in_every_state_of_the_case",),
    ),
    Mutation(
        name="a limit is never overwritten",
        invariant="I-12",
        removed="the limit that a leg was given stays when the leg goes to another unit",
        file="services/dispatch/domain/leg_changes.py",
        text='limit=leg.limit,\n        state="assigned",\n        revision=leg.revision,',
        replacement=(
            "limit=msgspec.structs.replace(leg.limit, amount=leg.limit.amount + 1),\n"
            '        state="assigned",\n        revision=leg.revision,'
        ),
        pins=(_MACHINE, "tests/unit/dispatch/test_case.py::test_a_leg_keeps_its_limit_whatever_happens_to_it"),
    ),
    Mutation(
        name="rework moves no limit",
        invariant="I-12",
        removed="the limit that a leg was given stays when it is sent back",
        file="services/dispatch/domain/leg_changes.py",
        text="rework=leg.rework + 1, reason=reason, **clocks",
        replacement=(
            "rework=leg.rework + 1, reason=reason, **clocks, "
            "limit=msgspec.structs.replace(leg.limit, amount=leg.limit.amount + 1)"
        ),
        pins=(_MACHINE,),
    ),
    Mutation(
        name="a department signs its own leg",
        invariant="I-13",
        removed="a department acts on its own leg alone",
        file="services/dispatch/domain/transitions.py",
        text='leg_states=frozenset({"assigned", "handling"}),\n        own_leg=True,',
        replacement='leg_states=frozenset({"assigned", "handling"}),',
        pins=(f"{_ENTITLEMENT}test_a_department_acts_on_its_own_leg_only",),
        every_run=True,
    ),
    Mutation(
        name="who was let look verifies",
        invariant="I-13",
        removed="a report is verified by the unit to which that was assigned",
        file="services/intake/domain/acts/verification.py",
        text="if context.actor.unit != unit:",
        replacement="if not context.actor.unit:",
        pins=("tests/unit/intake/test_verification.py::test_a_collector_of_another_unit_does_not_verify",),
    ),
    Mutation(
        name="a department speaks for itself",
        invariant="I-13",
        removed="an act whose source is another department is refused",
        file="services/dispatch/consumers.py",
        text='if event.source != party_uri("departments", department):',
        replacement="if not event.source:",
        pins=(f"{_ACTS}test_whoever_speaks_for_somebody_else_is_refused_and_takes_no_key_of_theirs",),
    ),
    Mutation(
        name="a source speaks for itself",
        invariant="I-13",
        removed="a submission whose source is another party is refused",
        file="services/intake/consumers.py",
        text='if event.source != party_uri("sources", source):',
        replacement="if not event.source:",
        pins=(
            "tests/unit/intake/test_consumers.py::test_an_event_of_another_source_is_refused_and_takes_no_id_of_anybody",
        ),
    ),
    Mutation(
        name="the catalogue that a report names",
        invariant="I-19",
        removed="a report waits for its version of the catalogue",
        file="services/dispatch/policies.py",
        text="if library.catalogue(category.system, category.version) is None:",
        replacement="if library.catalogue(category.system, 1) is None:",
        pins=("tests/unit/dispatch/test_policies.py::test_a_catalogue_version_that_is_not_here_yet_is_waited_for",),
    ),
    Mutation(
        name="the city's own rules are here",
        invariant="I-19",
        removed="no case is opened before the city's own rules have arrived",
        file="services/dispatch/policies.py",
        text='("units", "calendar", "limit_policy", "routing")',
        replacement='("units", "calendar", "limit_policy")',
        pins=("tests/unit/dispatch/test_policies.py::test_no_case_is_opened_past_what_the_city_has_to_say",),
    ),
)

_FORGETTING: Final = (
    Mutation(
        name="a digest instead of the text",
        invariant="I-14",
        removed="the event holds a digest of what may have to be forgotten",
        file="services/intake/domain/acts/submission.py",
        text="digest_of(private_content(submission, command.salt))",
        replacement="private_content(submission, command.salt).decode()",
        pins=(f"{_CONTENTS}test_no_event_of_a_report_holds_what_may_have_to_be_forgotten",),
    ),
    Mutation(
        name="the salt of the digest",
        invariant="I-14",
        removed="the digest of a telephone number cannot be found by trying them all",
        file="services/intake/domain/contents.py",
        text="salt=salt.hex(),",
        replacement='salt="",',
        pins=(f"{_CONTENTS}test_the_digest_in_the_event_is_that_of_what_is_kept_and_differs_with_the_salt",),
    ),
    Mutation(
        name="what is private is sealed",
        invariant="I-14",
        removed="what may have to be forgotten is encrypted",
        file="shared/ledger/decide.py",
        text="sealed = self._vault.seal(effect.private)",
        replacement="sealed = effect.private",
        pins=(f"{_LEDGER}test_what_was_kept_private_is_sealed_and_can_be_forgotten",),
    ),
    Mutation(
        name="held bytes are sealed",
        invariant="I-14",
        removed="held messages are encrypted",
        file="shared/ledger/write.py",
        text="[vault.seal(row.record) for row in ordered]",
        replacement="[row.record for row in ordered]",
        pins=(
            "tests/integration/test_ledger_consumers.py::test_held_bytes_are_sealed_and_can_be_shown_to_an_operator",
        ),
    ),
    Mutation(
        name="ninety days",
        invariant="I-14",
        removed="what outside parties sent is held for ninety days at most",
        file="shared/ledger/expiry.py",
        text="timedelta(days=90)",
        replacement="timedelta(days=9000)",
        pins=(f"{_RECEPTION}test_an_outside_record_is_held_for_ninety_days_and_an_event_of_ours_longer",),
    ),
)

_FIGURES: Final = (
    Mutation(
        name="half up",
        invariant="I-15",
        removed="a percentage is rounded half up",
        file="services/analytics/domain/indicators.py",
        text="(2 * 10_000 * ratio.numerator + ratio.denominator)",
        replacement="(2 * 10_000 * ratio.numerator)",
        pins=(f"{_INDICATORS}test_a_percentage_is_rounded_half_up_once",),
    ),
    Mutation(
        name="nothing of nothing",
        invariant="I-15",
        removed="0/0 is shown as a dash",
        file="services/analytics/domain/indicators.py",
        text="return UNDEFINED",
        replacement='return "100.00"',
        pins=(f"{_INDICATORS}test_nothing_of_nothing_is_no_hundred_percent",),
    ),
    Mutation(
        name="what a figure waits for",
        invariant="I-15",
        removed="a figure says how many streams are held",
        file="services/analytics/queries/progress.py",
        text="held_streams=counts.held,",
        replacement="held_streams=0,",
        pins=(f"{_ANALYTICS}test_a_gap_holds_its_own_stream_and_is_said_with_the_figure",),
    ),
    Mutation(
        name="a figure opens to its cases",
        invariant="I-16",
        removed="the cases behind a figure are those that it counts",
        file="services/analytics/queries/listing.py",
        text="conditions = [*are_reported(filters), is_counted(counted, filters)]",
        replacement="conditions = are_reported(filters)",
        pins=(f"{_ANALYTICS}test_every_figure_opens_to_as_many_cases_as_it_counts",),
    ),
    Mutation(
        name="a figure of an earlier cut-off",
        invariant="I-15",
        removed="a closing that was undone counts at a cut-off before that",
        file="services/analytics/queries/conditions.py",
        text="if filters.as_of is None:\n        return sa.false()",
        replacement="if filters.as_of is None or kind:\n        return sa.false()",
        pins=(f"{_WHOLE_LIFE}test_a_reopening_takes_the_closing_back_from_then_on",),
    ),
    Mutation(
        name="a unit's figure opens to its legs",
        invariant="I-16",
        removed="the legs behind a unit's figure are those that it counts",
        file="services/analytics/queries/listing.py",
        text='leg_is("assigned", filters), leg_is(counted, filters)]',
        replacement='leg_is("assigned", filters)]',
        pins=(f"{_ANALYTICS}test_units_figures_open_to_their_legs",),
    ),
)

MUTATIONS: Final = (*_CASES, *_FORGETTING, *_FIGURES)
