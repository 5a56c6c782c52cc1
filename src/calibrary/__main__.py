"""`python -m calibrary`: the command, where its folder is not on the path."""

from calibrary.cli import main

if __name__ == "__main__":
    main()
