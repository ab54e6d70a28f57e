"""Tuning: simulate an HPA in its closed loop, score, search and rank. Pure: no input, no output, no clock."""
