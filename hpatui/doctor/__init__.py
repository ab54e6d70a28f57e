"""Checks of the autoscaling pipeline: what is broken, how the API shows it, and the command that mends it.

    run_checks(look, now) -> World (everything read once) -> checks -> Report

Nothing is reported that was not looked at: a look that was refused is said to be forbidden, one that failed is said to
have failed, and what follows from another finding is marked as such and not counted twice.
"""
