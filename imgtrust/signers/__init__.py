"""Who holds a private key, and who says what time it is."""
