"""What an act is sent with where that is less than its command: the report is named by the path."""

from uuid import UUID

from services.intake.domain.commands import Act, Merge
from shared.contracts.common import ShortText


class Merging(Act, frozen=True, kw_only=True):
    """并案: the report goes on as `master`."""

    master: UUID
    reason: ShortText

    def of(self, report_id: UUID) -> Merge:
        """Return the act on this report."""
        return Merge(
            report_id=report_id, master=self.master, reason=self.reason, expected_revision=self.expected_revision
        )
