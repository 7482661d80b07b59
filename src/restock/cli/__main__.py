"""`python -m restock.cli`: the command line where no script is installed."""

from restock.cli.main import main

if __name__ == "__main__":
    main()
