"""`python -m restock`: the command line, where its script is not on the path."""

from restock.cli.main import main

if __name__ == "__main__":
    main()
