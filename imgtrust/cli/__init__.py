"""Flags to one call to a report and an exit status: the only place that prints, exits, reads clock, environment."""
