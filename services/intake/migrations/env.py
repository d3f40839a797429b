"""Alembic's environment: runs on the connection that the caller opened, in the schema of the service's role."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
