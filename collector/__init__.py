"""Product pages' door: beacons become hits, hits become daily counts."""
