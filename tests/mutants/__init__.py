"""Mutants: defects made from the code, each tried against the simulation and the fast tests."""
