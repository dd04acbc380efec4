"""What was said: the kinds of statements, and what can be read from each. Pure."""
