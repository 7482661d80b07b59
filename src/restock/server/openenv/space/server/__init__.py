"""The application, where the manifest of the package names it."""
