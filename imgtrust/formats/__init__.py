"""What a signature looks like: bytes to parsed, unverified, and back. Pure."""
