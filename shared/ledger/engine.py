"""Connections to the service's own database, with the settings that the ledger relies on."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_SETTINGS: Final = {
    "lock_timeout": "2000",
    # A lost network must not leave locks behind for the two hours of TCP's defaults.
    "idle_in_transaction_session_timeout": "60000",
    # Nor may it leave the relay's lease there: that one is held outside of a transaction.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
    # Tables grow from empty to millions: a generic plan made for an empty table would scan the full one.
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
    "timezone": "UTC",
}


def create_ledger_engine(database_url: str, *, application: str, connections: int = 8) -> AsyncEngine:
    """Return an engine for `postgresql+asyncpg://…`; READ COMMITTED, `lock_timeout` 2 s (design section 1).

    Args:
        database_url: with the service's own role; its search_path is the service's schema.
        application: shown as `application_name` to the database's operator.
        connections: the most that are open at once.
    """
    return create_async_engine(
        database_url,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=False,
        connect_args={"server_settings": {**_SETTINGS, "application_name": application}, "timeout": 10},
    )
