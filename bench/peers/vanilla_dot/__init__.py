"""django-oauth-toolkit as in its tutorial: `startproject`, the app, its URLs, and nothing tuned."""
