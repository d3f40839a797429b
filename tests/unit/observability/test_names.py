"""Names: every crash point and every metric that is listed is really there in the code."""

import ast
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

from shared.observability import crash, metrics

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [path for folder in ("shared", "services") for path in sorted((ROOT / folder).rglob("*.py"))]
METRICS = {name: metric for name, metric in vars(metrics).items() if isinstance(metric, Counter | Gauge | Histogram)}


def test_every_crash_point_is_reached_at_one_place() -> None:
    reached = [
        node.args[0].value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "reach"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert sorted(map(str, reached)) == sorted(crash.CRASH_POINTS)


def test_every_metric_is_counted_somewhere() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCES if path.name != "metrics.py"]
    assert [name for name in METRICS if not any(f"metrics.{name}" in text for text in texts)] == []


def test_every_metric_says_what_it_means_under_our_prefix() -> None:
    named = {name: next(iter(metric.describe())) for name, metric in METRICS.items()}
    assert [name for name, family in named.items() if not family.name.startswith("joint_")] == []
    assert [name for name, family in named.items() if not family.documentation.endswith(".")] == []


def test_no_metric_is_made_outside_the_one_file() -> None:
    made = [
        path.relative_to(ROOT).as_posix() for path in SOURCES if "prometheus_client" in path.read_text(encoding="utf-8")
    ]
    assert made == ["shared/observability/metrics.py"]


def test_all_metrics_are_exposed_together() -> None:
    content, content_type = metrics.exposition()
    assert content_type.startswith("text/plain")
    for metric in METRICS.values():
        assert next(iter(metric.describe())).name.encode() in content
