"""Experiments: objects, a load plan and expectations, run over a session and judged from its facts."""
