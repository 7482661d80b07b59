"""Reports of comparisons: words, tables, charts, one HTML page."""
