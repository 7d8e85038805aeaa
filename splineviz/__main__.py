"""`python -m splineviz`: the command, where its script is not on the path."""

from splineviz_cli.main import main

if __name__ == "__main__":
    main()
