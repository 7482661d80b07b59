"""Data sets shipped with restock; see README.md beside this file for their origin and licence."""
