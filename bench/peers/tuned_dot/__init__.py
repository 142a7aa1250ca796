"""django-oauth-toolkit with what anybody can tune in its settings: a cheap hash of the secrets and
persistent connections. And the two reads that Latchkey's are compared with, by Django REST framework as the
toolkit's documentation has it."""
