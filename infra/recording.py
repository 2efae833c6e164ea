"""Opens a schema of events for the eventsourcing library's recorder, with everything that a DSN can say."""

from eventsourcing.postgres import PostgresDatastore
from psycopg.conninfo import conninfo_to_dict


def datastore(dsn: str, schema: str) -> PostgresDatastore:
    """The library's own pool over the schema."""
    options = conninfo_to_dict(dsn)
    opened = PostgresDatastore(
        dbname=str(options.pop("dbname", "")),
        host=str(options.pop("host", "")),
        port=str(options.pop("port", "5432")),
        user=str(options.pop("user", "")),
        password=str(options.pop("password", "")),
        schema=schema,
    )
    if isinstance(opened.pool.kwargs, dict):
        opened.pool.kwargs |= options  # TLS and the rest of the DSN, which the library has no arguments for
    return opened
