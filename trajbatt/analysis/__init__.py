"""Questions asked of results."""
