"""Belief in signatures of the Notary Project: chains, stores, identities, times and revocation. Pure."""
