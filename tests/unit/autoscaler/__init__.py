"""Tests of the decision code and its sentences."""
