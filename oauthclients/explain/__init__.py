"""What a client may do, and why a call of it is allowed or refused: by what the API itself decides with."""
