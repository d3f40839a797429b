"""What every process of every service does alike: settings, roles, how it watches what it needs."""
