"""A mutation: one guarantee taken out of the code by one replacement, and the tests that must then fail."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class StaleMutationError(Exception):
    """The text that a mutation replaces is no longer there: whoever changed the code keeps the mutation up to date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """What is taken away, how, and who notices.

    `removed` says in one sentence what the mutated system no longer does. `text` must occur in `file` exactly once.
    Each of `pins` (`path::test`) must fail on the mutated code. `every_run` ones are tried by `make test`, all of them
    by `make mutations`.
    """

    name: str
    invariant: str
    removed: str
    file: str
    text: str
    replacement: str
    pins: tuple[str, ...]
    every_run: bool = False

    def mutated(self, source: str) -> str:
        """Return the source without the guarantee.

        Raises:
            StaleMutationError: when the text does not occur in it exactly once.
        """
        found = source.count(self.text)
        if found != 1:
            raise StaleMutationError(
                f"The mutation {self.name!r} replaces a text that must occur once in {self.file} and occurs {found} "
                f"times. Choose the text anew, so that the mutation still means: {self.removed}\n{self.text}"
            )
        return source.replace(self.text, self.replacement)

    @contextmanager
    def applied(self, root: Path) -> Iterator[None]:
        """Mutate the file below `root` while the block runs; afterwards it is what it was.

        Raises:
            StaleMutationError: when its text does not occur there exactly once.
        """
        path = root / self.file
        original, stood = path.read_bytes(), path.stat()
        path.write_text(self.mutated(original.decode()), encoding="utf-8")
        try:
            yield
        finally:
            path.write_bytes(original)
            os.utime(path, ns=(stood.st_atime_ns, stood.st_mtime_ns))
