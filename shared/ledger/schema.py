"""Bringing a service's schema up to date by its Alembic migrations."""

from pathlib import Path

import sqlalchemy as sa


def upgrade(connection: sa.Connection, migrations: Path) -> None:
    """Run the migrations of the folder that the connection's schema has not seen, in the caller's transaction."""
    from alembic import command  # noqa: PLC0415 - only the role `migrate` needs it
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
