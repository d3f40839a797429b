"""What every test can ask for."""

pytest_plugins = ["tests.support.servers", "tests.support.systems", "tests.support.ledgers", "tests.support.reminders"]
