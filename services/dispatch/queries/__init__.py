"""Every SELECT that the API makes. Each call of `Database` is a snapshot of its own."""

from services.dispatch.queries.database import CONSUMERS, EVENTS, REFERENCE, Database
from services.dispatch.queries.dossiers import CaseFile, Receipt, StoredEvent, history
from services.dispatch.queries.rows import KnownCase, KnownLeg, find_case
from services.dispatch.queries.rules import Explained, RoutingEvent, RuleCount
from services.dispatch.queries.tasks import TaskCounts, TaskPage, TaskPlace, find_legs
from services.dispatch.queries.worklist import (
    CaseCounts,
    CaseFilter,
    CasePage,
    CasePlace,
    Order,
    count_cases,
    find_cases,
)

__all__ = [
    "CONSUMERS",
    "EVENTS",
    "REFERENCE",
    "CaseCounts",
    "CaseFile",
    "CaseFilter",
    "CasePage",
    "CasePlace",
    "Database",
    "Explained",
    "KnownCase",
    "KnownLeg",
    "Order",
    "Receipt",
    "RoutingEvent",
    "RuleCount",
    "StoredEvent",
    "TaskCounts",
    "TaskPage",
    "TaskPlace",
    "count_cases",
    "find_case",
    "find_cases",
    "find_legs",
    "history",
]
