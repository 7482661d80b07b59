"""The application as the manifest of the package names it."""
