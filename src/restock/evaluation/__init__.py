"""Running policies over episodes, and comparing them."""
