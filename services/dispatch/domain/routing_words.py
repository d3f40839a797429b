"""An explanation of routing as sentences for people, in Chinese and in English; whatever they say is in the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.contracts.dispatch import ConsideredRule, Explanation, LegRole, Verdict
from shared.contracts.reference import Criterion, Units


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """The same statements in both languages, in the same order."""

    zh: tuple[str, ...]
    en: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phrases:
    """What one language says; `{}` are filled in."""

    decided_by: Mapping[str, str]
    no_rule: str
    no_lead: str
    lead: str
    support: str
    legal_basis: str
    considered: str
    outdone: str
    own_reason: str
    verdicts: Mapping[Verdict, str]
    criteria: Mapping[Criterion, str]
    equal: str
    reason: str
    not_followed: str
    versions: Mapping[str, str]
    comma: str
    stop: str


_ZH: Final = _Phrases(
    decided_by={
        "power_list": "按权责清单的规则 {} 派遣",
        "local_override": "按本地规则 {} 派遣",
        "dispatcher": "由派遣员指定",
        "ruling": "经裁定",
    },
    no_rule="没有适用的规则：由派遣员派遣",
    no_lead="规则 {} 的主办单位不存在，或不处置案件：由派遣员派遣",
    lead="主办：{}",
    support="协办：{}",
    legal_basis="依据：{}",
    considered="第 {} 条，规则 {}：{}",
    outdone="{}（{}）",
    own_reason="{}；本地规则的理由：{}",
    verdicts={
        "won": "适用，采用",
        "less_specific": "适用，但另一条规则更具体",
        "overridden": "适用，但本地规则优先",
        "other_place": "不适用：地点不符",
        "other_target": "不适用：对象类型不符",
        "other_time": "不适用：时间不符",
        "time_unknown": "不适用：工作日历或时限规则尚未发布，无法判断工作时间",
        "not_in_force": "不适用：当日不在有效期内",
    },
    criteria={
        "local_override": "本地规则",
        "community": "社区",
        "street": "街道",
        "target_type": "对象类型",
        "time": "时间",
    },
    equal="同样具体，列在后面",
    reason="说明：{}",
    not_followed="未按规则 {} 派遣",
    versions={
        "catalogue_version": "目录第 {} 版",
        "units_version": "单位表第 {} 版",
        "routing_version": "本地规则第 {} 版",
        "calendar_version": "工作日历第 {} 版",
        "policy_version": "时限规则第 {} 版",
    },
    comma="，",
    stop="。",
)
_EN: Final = _Phrases(
    decided_by={
        "power_list": "Dispatched by rule {} of the power list",
        "local_override": "Dispatched by the city's own rule {}",
        "dispatcher": "Named by a dispatcher",
        "ruling": "Ruled",
    },
    no_rule="No rule fits: a dispatcher dispatches it",
    no_lead="The lead of rule {} is no unit that handles cases here: a dispatcher dispatches it",
    lead="Lead: {}",
    support="Support: {}",
    legal_basis="Legal basis: {}",
    considered="No. {}, rule {}: {}",
    outdone="{} ({})",
    own_reason="{}; why the city has it: {}",
    verdicts={
        "won": "fits, and is followed",
        "less_specific": "fits, but another rule is more specific",
        "overridden": "fits, but the city's own rule comes first",
        "other_place": "does not fit: another place",
        "other_target": "does not fit: another type of target",
        "other_time": "does not fit: another time",
        "time_unknown": "does not fit: working time is unknown until calendar and limit policy are published",
        "not_in_force": "does not fit: not in force that day",
    },
    criteria={
        "local_override": "local override",
        "community": "community",
        "street": "street",
        "target_type": "type of target",
        "time": "time",
    },
    equal="equally specific, and further down",
    reason="Note: {}",
    not_followed="Rule {} was not followed",
    versions={
        "catalogue_version": "catalogue version {}",
        "units_version": "units version {}",
        "routing_version": "the city's own rules version {}",
        "calendar_version": "calendar version {}",
        "policy_version": "limit policy version {}",
    },
    comma=", ",
    stop=".",
)


def in_words(explanation: Explanation, legs: Sequence[tuple[str, LegRole]], units: Units | None) -> Sentences:
    """Return why these units (with their roles) have the case; `units` gives them their names."""
    known = units.by_code if units else {}
    names_zh = [(known[code].name_zh if code in known else code, role) for code, role in legs]
    names_en = [(known[code].name_en if code in known else code, role) for code, role in legs]
    return Sentences(zh=_say(_ZH, explanation, names_zh), en=_say(_EN, explanation, names_en))


def _say(words: _Phrases, explanation: Explanation, legs: Sequence[tuple[str, LegRole]]) -> tuple[str, ...]:
    said = [_decision(words, explanation, legs)]
    if explanation.legal_basis:
        said.append(words.legal_basis.format(explanation.legal_basis))
    if explanation.overrides:
        said.append(words.not_followed.format(explanation.overrides))
    said += [
        words.considered.format(number, rule.rule, _verdict(words, rule))
        for number, rule in enumerate(explanation.considered, start=1)
    ]
    if explanation.reason:
        said.append(words.reason.format(explanation.reason.rstrip(".。")))
    versions = [
        phrase.format(version)
        for name, phrase in words.versions.items()
        if (version := getattr(explanation, name)) is not None
    ]
    said.append(words.comma.join(versions))
    return tuple(sentence[:1].upper() + sentence[1:] + words.stop for sentence in said)


def _decision(words: _Phrases, explanation: Explanation, legs: Sequence[tuple[str, LegRole]]) -> str:
    if not legs:
        return words.no_rule if explanation.rule is None else words.no_lead.format(explanation.rule)
    said = [words.decided_by[explanation.decided_by].format(explanation.rule)]
    for role, phrase in (("lead", words.lead), ("support", words.support)):
        units = [name for name, held in legs if held == role]
        if units:
            said.append(phrase.format(words.comma.join(units)))
    return (words.stop + (" " if words.comma.endswith(" ") else "")).join(said)


def _verdict(words: _Phrases, rule: ConsideredRule) -> str:
    said = words.verdicts[rule.verdict]
    if rule.verdict == "less_specific":
        said = words.outdone.format(said, words.criteria[rule.outdone_in] if rule.outdone_in else words.equal)
    return said if rule.reason is None else words.own_reason.format(said, rule.reason)
