"""`collector check URL`: one line for each condition under which a page counts."""
