"""No OAuth at all: the least that Django does for one row read and one written through its ORM."""
