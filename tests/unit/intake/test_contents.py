"""What of a report may have to be forgotten (I-14): never in an event, kept apart, shared as far as needed."""

import msgspec

from services.intake.domain import contents
from services.intake.domain.commands import Accept, Forget
from services.intake.domain.contents import digest_of, private_content, read_content
from services.intake.domain.report import evolve
from shared.contracts.decisions import ForgetPrivate, KeepPrivate
from shared.contracts.intake import Content, ContentForgotten, Reported
from tests.support import reports
from tests.support.reports import UNTRUSTED, Given, person, source, submit

FORGET = Forget(reason="asked by the reporter")
NOTHING = Given()
FILED = NOTHING.after(submit(), source())
WAITING = NOTHING.after(submit(), source(UNTRUSTED))


def test_no_event_of_a_report_holds_what_may_have_to_be_forgotten() -> None:
    given = Given(*NOTHING.when(submit(), source())).after(FORGET, person("leader"))
    written = msgspec.json.encode([given.events, given.state]).decode()
    assert [word for word in reports.PRIVATE_WORDS if word in written] == []


def test_a_report_keeps_everything_private_and_shares_what_other_services_need() -> None:
    command = submit()
    (reported, *_) = NOTHING.when(command, source())
    (effect,) = contents.effects(evolve(None, reported), reported, command)
    assert isinstance(effect, KeepPrivate)
    kept = read_content(effect.private)
    assert (kept.description, kept.address, kept.photos) == (reports.DESCRIPTION, reports.ADDRESS, (reports.PHOTO,))
    assert kept.contact is not None
    assert kept.contact.phone == reports.PHONE
    assert effect.shared == Content(
        report_id=reports.REPORT_ID,
        description=reports.DESCRIPTION,
        address=reports.ADDRESS,
        photos=(reports.PHOTO,),
    )
    assert effect.topic == "intake.contents"


def test_the_digest_in_the_event_is_that_of_what_is_kept_and_differs_with_the_salt() -> None:
    command = submit()
    (reported, *_) = NOTHING.when(command, source())
    (effect,) = contents.effects(evolve(None, reported), reported, command)
    assert isinstance(reported, Reported)
    assert isinstance(effect, KeepPrivate)
    assert reported.content_digest == digest_of(effect.private)
    assert reported.content_digest != digest_of(private_content(command.submission, b"another salt"))


def test_forgetting_deletes_what_was_kept_and_sends_a_tombstone() -> None:
    (event,) = FILED.when(FORGET, person("leader"))
    assert contents.effects(FILED.state, event, FORGET) == [
        ForgetPrivate(topic="intake.contents", type=ContentForgotten.type)
    ]


def test_other_events_have_no_effects() -> None:
    (event,) = WAITING.when(Accept(), person("acceptor"))
    assert contents.effects(evolve(WAITING.state, event), event, Accept()) == []
