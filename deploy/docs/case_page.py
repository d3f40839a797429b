"""`docs/case.md`: the life of a case, from the tables that decide it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

from deploy.docs import terms
from deploy.docs.answers import answers
from services.dispatch.api.statuses import status_of_refusal
from services.dispatch.domain.acts.endings import REOPENED_WITHIN
from services.dispatch.domain.acts.extensions import EXTENSIONS
from services.dispatch.domain.acts.returns import RETURNS
from services.dispatch.domain.commands import ActorCommand, Command, LegCommand
from services.dispatch.domain.paths import CASE_WAYS, LEG_WAYS, RECTIFICATION_WAYS
from services.dispatch.domain.refusals import OF_ACTS, OF_THE_TABLE, REFUSALS, Meaning
from services.dispatch.domain.transitions import TRANSITIONS, Transition
from shared.contracts.common import Post
from shared.contracts.registry import ACTIONS
from shared.deadlines.telling import BREACHED, HALF_USED, MOSTLY_USED

CASE_PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "case.md"

_TITLE: Final = """\
# The life of a case 案件全程

This page is made from the code: `make docs` writes it, a test sees that it is current. The table is
[`transitions.py`](../services/dispatch/domain/transitions.py), the ways are
[`paths.py`](../services/dispatch/domain/paths.py), the names of refusals are
[`refusals.py`](../services/dispatch/domain/refusals.py). Whoever acts has a post in a unit; every act becomes an event
with actor, post, unit, time and reason, or is refused by a name that never gets another meaning.
"""
_RULES: Final = """\
*Own leg*: of departments only the unit that has the leg (I-13). *Apart*: no unit and no person that handles the case
(I-10). *Of its order*: where the legal track of the leg stands. *Row*: of the field's table of transitions, given in
the docstrings as "domain 9.2"; the legal track is in its last lines. Row 10 of the field says "not after work began":
nothing tells when work on site began, so who decides the return judges it. *Topic*: a department may do it over its
topic too; everything else needs a person's token, and is answered `centre_act_over_topic` there.
"""
_CLOCKS: Final = f"""\
| Clock | Starts | Ends | Belongs to |
|---|---|---|---|
| dispatch 派遣 | routing finds no lead that exists | dispatch by hand | the case |
| sign 签收 | dispatch, upheld return, ruling, added leg | signature; at its limit 视同签收 | each leg |
| handle 处置 | the same; a reopened leg gets a new one | feedback; waived | each leg |
| check 核查 | the last leg is done, or a dispatcher assigns it | result of the check | the case |
| rectification 限期改正 | an order with a limit | the party's claim; at its limit the re-inspection is due | each leg |
| reinspection 复查 | claim, end of the order's limit, order at once, enforcement | the re-inspection | each leg |

- 视同签收: at the limit an unsigned leg counts as signed for handling. A signature that comes later, while the leg is
  in handling, is recorded with who signed and when; the limit stays passed, and no clock moves.
- A clock holds the instants at which {HALF_USED} % and {MOSTLY_USED} % of its limit are used and at which it is due,
  and the versions of calendar and limit policy that they were computed from. The steps that explain an instant are
  computed from the same documents again; the original deadline stays for ever (I-12).
- Of a deadline it tells three times, each once: at {HALF_USED} %, {MOSTLY_USED} % (`ClockWarned` 预警) and {BREACHED} %
  (`ClockBreached` 超期). A deadline that was moved is another one: what lies ahead of it is told again. The fact of a
  breach stays, whatever happens later; a deadline that has passed does not pass again when a clock comes back to it.
- It goes on while a return, an extension or a suspension is asked for and not decided. Suspension 挂账 and merging 并案
  stop it; the time is a pause, as is the time between a feedback and its rework. They stop nothing that the law sets:
  the clocks of rectification and re-inspection go on while the leg is suspended, and a case is not merged before the
  re-inspection has passed.
- An extension 延期 adds one original limit to the current deadline: {EXTENSIONS} at most. After {RETURNS} returns 回退
  the leader rules 裁定, with new clocks. Reopened 重开 is within {REOPENED_WITHIN.days} days.
- A case has at most one wake, of kind `clock`: the next instant at which a clock warns or is due, or a suspension ends.
  Its command `FireClocks` makes everything happen that is due by then, in order. It fires only after the topics have
  been consumed past its instant, so that a stopped service makes nobody late; an act counts as of its broker time.
- A newer calendar or limit policy moves every running clock (`ClocksRecomputed` 时限重算), and says from where.
"""
_POLICIES: Final = """\
What follows from another aggregate's event, or from time, cannot be refused; it is answered in every state.
`OpenCase` opens a case that is not there, and is answered `CaseOpeningDeclined` in every state. `FireClocks` makes
happen what is due, which may be nothing; `RecomputeClocks` is always answered `ClocksRecomputed`.
"""


def case_page() -> str:
    """Return the page."""
    sections = {
        "States 状态": [
            *_states("Case 案件", terms.CASE_STAGES.items()),
            "",
            *_states("Leg 处置任务", terms.LEG_STAGES.items()),
            "",
            *_states("Order of a leg 责令改正", terms.RECTIFICATION_STAGES.items()),
        ],
        "The case 案件状态图": _diagram(CASE_WAYS),
        "A leg 处置任务状态图": _diagram(LEG_WAYS),
        "What a leg has ordered by law 责令改正与复查": _diagram(RECTIFICATION_WAYS),
        "Transitions 状态转换表": [_RULES, *_transitions()],
        "Rights of posts 岗位权限": _rights(),
        "Clocks and wakes 时限与计时": [_CLOCKS.rstrip()],
        "Answers to policies 策略应答": [_POLICIES, *_answers()],
        "Refusals 拒绝代码": _refusals(),
    }
    body = "\n\n".join(f"## {title}\n\n" + "\n".join(lines) for title, lines in sections.items())
    return f"{_TITLE}\n{body}\n"


def _states(title: str, names: Iterable[tuple[str, str]]) -> list[str]:
    return _table([title, "中文"], ([f"`{name}`", zh] for name, zh in names))


def _diagram(ways: Mapping[type[Command], Iterable[tuple[str | None, str]]]) -> list[str]:
    labels: dict[tuple[str, str], list[str]] = {}
    for command, all_ways in ways.items():
        for before, after in all_ways:
            labels.setdefault((before or "[*]", after), []).append(terms.COMMANDS[command])
    edges = (f"  {before} --> {after} : {'；'.join(acts)}" for (before, after), acts in sorted(labels.items()))
    return ["```mermaid", "stateDiagram-v2", *edges, "```"]


def _transitions() -> list[str]:
    head = [
        "Act",
        "中文",
        "Posts",
        "States of the case",
        "States of the leg",
        "Of its order",
        "Row",
        "Only",
        "Topic",
        "Refused by itself",
    ]
    return _table(head, (_transition(command, transition) for command, transition in TRANSITIONS.items()))


def _transition(command: type[ActorCommand], transition: Transition) -> list[str]:
    own, apart = transition.own_leg and "own leg", transition.apart and "apart"
    of_legs = "any" if command in get_args(LegCommand) else "—"
    return [
        f"`{command.__name__}`",
        terms.COMMANDS[command],
        ", ".join(sorted(transition.posts)),
        _in_order(transition.case_states, terms.CASE_STAGES),
        of_legs if transition.leg_states is None else _in_order(transition.leg_states, terms.LEG_STAGES),
        "—" if transition.rectification is None else _in_order(transition.rectification, terms.RECTIFICATION_STAGES),
        ", ".join(str(row) for row in transition.rows) or "—",
        ", ".join(rule for rule in (own, apart) if rule) or "—",
        "yes" if command in ACTIONS else "—",
        " ".join(f"`{code}`" for code in REFUSALS[command]) or "—",
    ]


def _in_order(states: Iterable[str], order: Iterable[str]) -> str:
    known = set(states)
    return ", ".join(state for state in order if state in known)


def _rights() -> list[str]:
    posts: list[Post] = [post for post in terms.POSTS if any(post in line.posts for line in TRANSITIONS.values())]
    head = ["Act", *(f"{post} {terms.POSTS[post]}" for post in posts)]
    return _table(
        head,
        (
            [f"{terms.COMMANDS[command]} `{command.__name__}`", *("●" if post in line.posts else "" for post in posts)]
            for command, line in TRANSITIONS.items()
        ),
    )


def _answers() -> list[str]:
    found = answers()
    stages = list(terms.CASE_STAGES)
    return _table(
        ["Command", *stages], ([asked, *(told[stage] for stage in terms.CASE_STAGES)] for asked, told in found.items())
    )


def _refusals() -> list[str]:
    return [
        "By the table, before the act is looked at:",
        "",
        *_meanings(OF_THE_TABLE),
        "",
        "By the act itself. Of several errors at once the code is `invalid`, and each is named with its field:",
        "",
        *_meanings(OF_ACTS),
    ]


def _meanings(codes: Mapping[str, Meaning]) -> list[str]:
    return _table(
        ["Code", "HTTP", "中文", "Meaning"],
        ([f"`{code}`", str(status_of_refusal(code).value), said.zh, said.en] for code, said in codes.items()),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    def lines() -> Iterator[str]:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from (f"| {' | '.join(row)} |" for row in rows)

    return list(lines())
