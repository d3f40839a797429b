"""How many requests there are and how long they take, by route and status: few labels, and a few microseconds each."""

from typing import Final, Protocol

from litestar.types import Scope

from shared.observability import metrics

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_STATUS: Final = 0


class _Observed(Protocol):
    def observe(self, amount: float) -> None: ...


class RequestMeter:
    """Observes requests of one application."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int], _Observed] = {}

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that was routed (or not) and answered with `status`, 0 when the caller went away first."""
        # A template, never a path, and no method of a stranger's: labels must not grow with what callers ask for.
        method = scope.get("method")
        key = (method if method in _METHODS else "other", scope.get("path_template", ""), status)
        observed = self._known.get(key)
        if observed is None:
            observed = self._known[key] = _labelled(*key)
        observed.observe(seconds)


def _labelled(method: str, route: str, status: int) -> _Observed:
    return metrics.HTTP_REQUEST_SECONDS.labels(
        method, route or "unmatched", "aborted" if status == _NO_STATUS else status
    )
