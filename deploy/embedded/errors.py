"""The one error of this package that a person sees."""

from __future__ import annotations


class SystemFailure(Exception):
    """Something of the embedded system failed: what, where, and what to do about it."""

    def __init__(self, what: str, *, remedy: str) -> None:
        super().__init__(f"{what}\n{remedy}")
        self.what = what
        self.remedy = remedy
