"""What a person asks for: the wiring of stores, trust, policy and signers. No decisions."""
