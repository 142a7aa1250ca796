"""Programs: their registration, their tokens, and what they reach."""
