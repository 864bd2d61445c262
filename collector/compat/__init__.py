"""Compatibility: GoatCounter's and Plausible's own scripts as clients, off by default."""
