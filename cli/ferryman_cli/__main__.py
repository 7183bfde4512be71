"""`python -m ferryman_cli`."""

from ferryman_cli.main import main

if __name__ == "__main__":
    main()
