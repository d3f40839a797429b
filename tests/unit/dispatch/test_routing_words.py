"""What people read about routing, word by word; the units in the sentences have the names of their document."""

from msgspec.structs import replace

from services.dispatch.domain.routing_words import in_words
from shared.contracts.dispatch import ConsideredRule, Explanation, LegRole
from shared.contracts.reference import Unit, Units

UNITS = Units(
    units=(
        Unit(code="fire", name_zh="消防救援", name_en="Fire and rescue", kind="department", posts=("department",)),
        Unit(code="police", name_zh="公安", name_en="Police", kind="department", posts=("department",)),
    ),
    sources=(),
)
LEGS: list[tuple[str, LegRole]] = [("fire", "lead"), ("police", "support"), ("navy", "support")]


def test_a_case_of_the_power_list_is_told_in_both_languages() -> None:
    explanation = Explanation(
        rule="E0496-market",
        catalogue_version=3,
        units_version=2,
        legal_basis="消防法 28, 60",
        considered=(
            ConsideredRule(
                rule="own-1", verdict="other_time", origin="local_override", reason="trial until the new year"
            ),
            ConsideredRule(rule="E0496-market", verdict="won"),
            ConsideredRule(rule="E0496-shops", verdict="less_specific", outdone_in="street"),
            ConsideredRule(rule="E0496", verdict="less_specific"),
        ),
        decided_by="power_list",
        reason="Left out, because no such unit handles cases here: army.",
        routing_version=5,
        calendar_version=1,
        policy_version=4,
    )
    said = in_words(explanation, LEGS, UNITS)
    assert said.zh == (
        "按权责清单的规则 E0496-market 派遣。主办：消防救援。协办：公安，navy。",
        "依据：消防法 28, 60。",
        "第 1 条，规则 own-1：不适用：时间不符；本地规则的理由：trial until the new year。",
        "第 2 条，规则 E0496-market：适用，采用。",
        "第 3 条，规则 E0496-shops：适用，但另一条规则更具体（街道）。",
        "第 4 条，规则 E0496：适用，但另一条规则更具体（同样具体，列在后面）。",
        "说明：Left out, because no such unit handles cases here: army。",
        "目录第 3 版，单位表第 2 版，本地规则第 5 版，工作日历第 1 版，时限规则第 4 版。",
    )
    assert said.en == (
        "Dispatched by rule E0496-market of the power list. Lead: Fire and rescue. Support: Police, navy.",
        "Legal basis: 消防法 28, 60.",
        "No. 1, rule own-1: does not fit: another time; why the city has it: trial until the new year.",
        "No. 2, rule E0496-market: fits, and is followed.",
        "No. 3, rule E0496-shops: fits, but another rule is more specific (street).",
        "No. 4, rule E0496: fits, but another rule is more specific (equally specific, and further down).",
        "Note: Left out, because no such unit handles cases here: army.",
        (
            "Catalogue version 3, units version 2, the city's own rules version 5, calendar version 1, "
            "limit policy version 4."
        ),
    )


PLAIN = Explanation(
    rule=None, catalogue_version=1, units_version=1, legal_basis="", considered=(), decided_by="power_list"
)


def test_an_own_rule_is_told_as_one() -> None:
    listed = ConsideredRule(rule="E1", verdict="overridden", outdone_in="local_override")
    said = in_words(
        replace(PLAIN, rule="own-1", decided_by="local_override", considered=(listed,)), [("fire", "lead")], UNITS
    )
    assert said.zh[:2] == ("按本地规则 own-1 派遣。主办：消防救援。", "第 1 条，规则 E1：适用，但本地规则优先。")
    assert said.en[:2] == (
        "Dispatched by the city's own rule own-1. Lead: Fire and rescue.",
        "No. 1, rule E1: fits, but the city's own rule comes first.",
    )


def test_a_dispatcher_who_did_not_follow_a_rule_is_told_with_the_reason() -> None:
    said = in_words(
        replace(PLAIN, decided_by="dispatcher", overrides="E1", reason="nearest."), [("fire", "lead")], UNITS
    )
    assert said.en == (
        "Named by a dispatcher. Lead: Fire and rescue.",
        "Rule E1 was not followed.",
        "Note: nearest.",
        "Catalogue version 1, units version 1.",
    )
    assert said.zh[:2] == ("由派遣员指定。主办：消防救援。", "未按规则 E1 派遣。")


def test_a_ruling_about_a_supporting_unit_is_told() -> None:
    said = in_words(replace(PLAIN, decided_by="ruling"), [("police", "support")], None)
    assert (said.zh[0], said.en[0]) == ("经裁定。协办：police。", "Ruled. Support: police.")


def test_that_nobody_can_be_sent_is_told() -> None:
    none, ghost = in_words(PLAIN, [], UNITS), in_words(replace(PLAIN, rule="E1"), [], UNITS)
    assert (none.zh[0], none.en[0]) == (
        "没有适用的规则：由派遣员派遣。",
        "No rule fits: a dispatcher dispatches it.",
    )
    assert (ghost.zh[0], ghost.en[0]) == (
        "规则 E1 的主办单位不存在，或不处置案件：由派遣员派遣。",
        "The lead of rule E1 is no unit that handles cases here: a dispatcher dispatches it.",
    )
