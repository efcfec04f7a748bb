"""Quality: flags added to readings, none dropped, and the times under which they are kept; pure."""
