"""The ten checks of orders.yaml in other tools: python3 others.py TOOL FILE. Prints whether all passed; exits 1 when not."""
import sys

tool, file = sys.argv[1], sys.argv[2]
csv = file.endswith(".csv")
countries = ["DE", "FR", "IT", "ES", "PL"]


def scan():
    import duckdb

    duckdb.sql("SET threads = 1")
    # Not max: Parquet knows that without being read.
    one = lambda column: f"bit_xor(hash({column}))"
    columns = ["id", "fraud", "amount", "paid", "items", "x", "y", "country", "sku", "placed"]
    duckdb.sql(f"SELECT {', '.join(map(one, columns))} FROM '{file}'").fetchall()
    return True


def pandera_polars():
    import pandera.polars as pa
    import polars as pl

    frame = pl.read_csv(file, try_parse_dates=True) if csv else pl.read_parquet(file)
    if csv:
        frame = frame.with_columns(pl.col("placed").dt.replace_time_zone(None))
    start, end = pl.datetime(2025, 1, 1), pl.datetime(2026, 1, 1)
    between = lambda low, high: pa.Check.in_range(low, high)
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(str, unique=True),
            "fraud": pa.Column(checks=pa.Check.isin([0, 1])),
            "amount": pa.Column(float, between(0, 1000)),
            "paid": pa.Column(float, between(0, 1000)),
            "items": pa.Column(int, between(1, 9)),
            "x": pa.Column(float, between(-1, 1)),
            "y": pa.Column(float, between(-1, 1)),
            "country": pa.Column(str, pa.Check.isin(countries)),
            "sku": pa.Column(str, pa.Check.str_matches(r"^sku-[0-9]{5}$")),
            "placed": pa.Column(checks=pa.Check(lambda data: data.lazyframe.select((pl.col(data.key) >= start) & (pl.col(data.key) < end)))),
        },
        checks=pa.Check(lambda data: data.lazyframe.select(pl.col("paid") <= pl.col("amount"))),
    )
    schema.validate(frame, lazy=True)
    return True


def pandera_pandas():
    import pandas as pd
    import pandera.pandas as pa

    frame = pd.read_csv(file, parse_dates=["placed"]) if csv else pd.read_parquet(file)
    if csv:
        frame["placed"] = frame["placed"].dt.tz_localize(None)
    between = lambda low, high: pa.Check.in_range(low, high)
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(str, unique=True),
            "fraud": pa.Column(checks=pa.Check.isin([0, 1])),
            "amount": pa.Column(float, between(0, 1000)),
            "paid": pa.Column(float, between(0, 1000)),
            "items": pa.Column(int, between(1, 9)),
            "x": pa.Column(float, between(-1, 1)),
            "y": pa.Column(float, between(-1, 1)),
            "country": pa.Column(str, pa.Check.isin(countries)),
            "sku": pa.Column(str, pa.Check.str_matches(r"^sku-[0-9]{5}$")),
            "placed": pa.Column(checks=pa.Check(lambda s: (s >= "2025-01-01") & (s < "2026-01-01"))),
        },
        checks=pa.Check(lambda frame: frame["paid"] <= frame["amount"]),
    )
    schema.validate(frame, lazy=True)
    return True


def great_expectations():
    import great_expectations as gx
    import pandas as pd

    frame = pd.read_csv(file, parse_dates=["placed"]) if csv else pd.read_parquet(file)
    if csv:
        frame["placed"] = frame["placed"].dt.tz_localize(None)
    e = gx.expectations
    context = gx.get_context(mode="ephemeral")
    batch = (
        context.data_sources.add_pandas("bench").add_dataframe_asset("orders").add_batch_definition_whole_dataframe("all")
    )
    suite = gx.ExpectationSuite(
        name="orders",
        expectations=[
            e.ExpectColumnValuesToBeUnique(column="id"),
            e.ExpectColumnValuesToNotBeNull(column="id"),
            e.ExpectColumnValuesToBeInSet(column="fraud", value_set=[0, 1]),
            *[e.ExpectColumnValuesToBeBetween(column=c, min_value=0, max_value=1000) for c in ("amount", "paid")],
            e.ExpectColumnValuesToBeBetween(column="items", min_value=1, max_value=9),
            *[e.ExpectColumnValuesToBeBetween(column=c, min_value=-1, max_value=1) for c in ("x", "y")],
            e.ExpectColumnValuesToBeInSet(column="country", value_set=countries),
            e.ExpectColumnValuesToMatchRegex(column="sku", regex=r"^sku-[0-9]{5}$"),
            e.ExpectColumnValuesToBeBetween(
                column="placed", min_value=pd.Timestamp("2025-01-01"), max_value=pd.Timestamp("2026-01-01"), strict_max=True
            ),
            e.ExpectColumnPairValuesAToBeGreaterThanB(column_A="amount", column_B="paid", or_equal=True),
        ],
    )
    return batch.get_batch({"dataframe": frame}).validate(suite).success


passed = {f.__name__: f for f in (scan, pandera_polars, pandera_pandas, great_expectations)}[tool]()
print(f"{tool}: {'passed' if passed else 'failed'}")
sys.exit(0 if passed else 1)
