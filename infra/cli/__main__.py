"""`python -m infra.cli`: how the supervisor starts the API and the workers."""

from infra.cli import main

if __name__ == "__main__":
    main()
