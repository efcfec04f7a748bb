"""Quality: flags added to readings, none dropped; pure."""
