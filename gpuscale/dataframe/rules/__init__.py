"""Rewrites of expressions of frames, one file per topic, all in the stage ``simplify``."""
