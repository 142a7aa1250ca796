"""Clients as a file: read (`document.py`), compared (`plan.py`), made so (`apply.py`), and written
(`export.py`).

The file is YAML 1.2, without secrets. Everything is done by the services that the console calls, as the
person that `acting.py` finds, and refused by them. The command line speaks English, so does this room.
"""
