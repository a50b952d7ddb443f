"""The metadata of every part of a study's tables, for tests that write parts with Polars."""

from analysis.tables.schema import SCHEMA_KEY, SCHEMA_VERSION

TABLE_VERSION = {SCHEMA_KEY.decode(): str(SCHEMA_VERSION)}
