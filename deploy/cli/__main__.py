"""`python -m deploy.cli`: the same as `joint`, where the project is not installed as a package."""

from deploy.cli import main

if __name__ == "__main__":
    main()
