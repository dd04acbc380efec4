"""One pure function per rule, by subject. Pure."""
