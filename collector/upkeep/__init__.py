"""Upkeep: backups of the counts, the end of old ones, and sellers who are forgotten."""
