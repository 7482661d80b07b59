"""The application, under the name that the package's manifest gives."""
