"""The scenes of catalogue.py, by the part of the product that they show."""
