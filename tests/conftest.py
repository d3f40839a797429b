"""What every test can ask for."""

import structlog

pytest_plugins = ["tests.support.servers", "tests.support.systems", "tests.support.ledgers", "tests.support.reminders"]

# The default draws every traceback with its local variables, which took a tenth of the tests with servers.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
