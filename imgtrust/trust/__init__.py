"""Who said it, and when: evidence under a trust root becomes a verified signature or a refusal. Pure."""
