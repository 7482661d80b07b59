"""Running policies over episodes, and telling them apart."""
