"""`python -m naftiko`."""

from naftiko.cli.main import main

main()
