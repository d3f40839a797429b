"""What came out of a campaign."""

from dataclasses import dataclass

from deploy.campaign.expectation import Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """One open case and why it is open, in both languages (Chinese, English)."""

    case_id: str
    sentences: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The figures that analytics answered, and what the plan expects and does not find.

    `troubles` are answers that a party did not expect; they are shown, while the figures alone decide.
    """

    code: str
    title_zh: str
    title_en: str
    expected: Figures
    answered: Figures
    differences: tuple[str, ...]
    open_cases: tuple[OpenCase, ...]
    troubles: tuple[str, ...]

    @property
    def as_planned(self) -> bool:
        """Whether every figure is what the plan expects."""
        return not self.differences
