"""What analytics answers is what the topics come to, and every figure opens to its cases (I-15, I-16)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal

from tests.reliability.history.copies import Streams, held_by
from tests.reliability.history.facts import Document, Facts, Finding
from tests.reliability.history.read_figures import GROUPS, KINDS, LEG_KINDS
from tests.reliability.history.recount import Problem, problems_of

Problems = Mapping[str, Problem]


def check_figures(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Compare every figure of the API with a recount, and every list behind one."""
    problems = problems_of(facts, streams)
    for group, answer in facts.figures.closure.items():
        yield from _figure(answer["total"], problems, f"total of {group or 'everything'}")
        yield from _counted(answer["counted"], facts, streams)
    for counted in KINDS:
        wanted = [stream for stream, problem in problems.items() if problem.counts_as(counted)]
        yield from _behind(facts, facts.figures.closure[""]["total"]["cases"], counted, wanted)
    for group in GROUPS:
        yield from _group(facts, group, problems)
    yield from _legs(facts, problems)
    yield from _reasons(facts, problems)


def _figure(row: Document, problems: Problems, where: str) -> Iterator[Finding]:
    kinds = Counter(problem.kind for problem in problems.values())
    wanted: dict[str, object] = {
        "numerator": kinds["closed"],
        "denominator": len(problems),
        **{kind: kinds[kind] for kind in ("open", "voided", "merged", "rejected")},
        "percentage": _percentage(kinds["closed"], len(problems)),
    }
    found = {name: row[name] for name in wanted}
    for beside in row["beside"]:
        name = beside["counted"]
        times = [problem.case.times(name) for problem in problems.values()]
        wanted |= {f"{name} cases": sum(one > 0 for one in times), f"{name} times": sum(times)}
        found |= {f"{name} cases": beside["cases"], f"{name} times": beside["times"]}
    for name, value in wanted.items():
        if found[name] != value:
            yield Finding(invariant="I-15", what=f"{name} is {found[name]}; the topics say {value}", where=where)


def _percentage(part: int, whole: int) -> str:
    if whole == 0:
        return "—"
    return str((Decimal(100 * part) / whole).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _group(facts: Facts, group: str, problems: Problems) -> Iterator[Finding]:
    wanted: dict[str, dict[str, Problem]] = defaultdict(dict)
    for stream, problem in problems.items():
        wanted[problem.groups[group]][stream] = problem
    rows = {row["key"]: row for row in facts.figures.closure[group]["groups"]}
    for key in wanted.keys() ^ rows.keys():
        yield Finding(invariant="I-15", what="a group that the topics or the API do not have", where=f"{group} {key}")
    for key in wanted.keys() & rows.keys():
        yield from _figure(rows[key], wanted[key], f"{group} {key}")
        yield from _behind(facts, rows[key]["cases"], "reported", wanted[key])


def _legs(facts: Facts, problems: Problems) -> Iterator[Finding]:
    wanted: dict[str, dict[str, list[str]]] = defaultdict(lambda: {kind: [] for kind in LEG_KINDS})
    for stream, problem in problems.items():
        for number, leg in problem.case.legs.items():
            wanted[leg.unit]["assigned"].append(f"{stream}:{number}")
            for kind in (leg.state if leg.done else "open", *leg.kinds):
                wanted[leg.unit][kind].append(f"{stream}:{number}")
    rows = {row["unit"]: row for row in facts.figures.closure["department"]["legs"]}
    for unit in wanted.keys() ^ rows.keys():
        yield Finding(invariant="I-15", what="a unit that the topics or the API do not have", where=f"legs of {unit}")
    for unit in wanted.keys() & rows.keys():
        for kind, legs in wanted[unit].items():
            if rows[unit][kind] != len(legs):
                what = f"{kind} is {rows[unit][kind]}; the topics say {len(legs)}"
                yield Finding(invariant="I-15", what=what, where=f"legs of {unit}")
            yield from _behind(facts, rows[unit]["legs"], kind, legs)


def _behind(facts: Facts, address: str, counted: str, wanted: Iterable[str]) -> Iterator[Finding]:
    """Compare the rows that open behind a figure: each once, those that the topics name, and no other."""
    found, expected = Counter(facts.figures.behind[f"{address}&counted={counted}"]), Counter(iter(wanted))
    for row in (found - expected) + (expected - found):
        what = f"{row} opens {found[row]} times and should {expected[row]} times"
        yield Finding(invariant="I-16", what=what, where=f"{address} {counted}")


def _reasons(facts: Facts, problems: Problems) -> Iterator[Finding]:
    said = set(facts.figures.behind[f"{facts.figures.closure['']['total']['cases']}&reasons"])
    for stream, problem in problems.items():
        if problem.kind == "open" and stream not in said:
            yield Finding(invariant="I-16", what="open, and the list does not say why", where=stream)


def _counted(row: Document, facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Compare up to where the figure says that it counts."""
    held = {place: rows[0].sequence for place, rows in held_by(facts).items() if place[0] == "analytics.events"}
    if row["held_streams"] != len(held):
        what = f"{row['held_streams']} streams held; the table has {len(held)}"
        yield Finding(invariant="I-15", what=what, where="counted")
    events: Counter[str] = Counter()
    for (topic, stream), copies in streams.items():
        end = held.get(("analytics.events", topic, stream))
        events[topic] += sum(end is None or event.sequence < end for event in copies)
    for consumer, topic, _, _ in facts.given_up:
        events[topic] -= consumer == "analytics.events"
    counted = {topic["topic"]: topic["events"] for topic in row["topics"]}
    for name in ("intake.reports", "dispatch.cases"):
        if counted.get(name, 0) != events[name]:
            what = f"{counted.get(name, 0)} events counted; the topic has {events[name]}"
            yield Finding(invariant="I-15", what=what, where=name)
