"""Writes orders.parquet and orders.csv: python3 generate.py ROWS FOLDER

Ten columns, made of the row number by DuckDB's hash, so that every machine gets the same rows. All rules of the bench hold.
"""
import sys

import duckdb

rows, folder = int(sys.argv[1]), sys.argv[2]
duckdb.sql("SET threads = 2")
query = f"""
SELECT 'o' || lpad(i::VARCHAR, 9, '0') AS id, (hash(i, 1) % 10 = 0)::INTEGER AS fraud,
  (hash(i, 2) % 100000)::DOUBLE / 100 AS amount, (hash(i, 2) % 100000)::DOUBLE / 200 AS paid,
  (hash(i, 3) % 9 + 1)::BIGINT AS items, (hash(i, 4) % 2001)::DOUBLE / 1000 - 1 AS x, (hash(i, 5) % 2001)::DOUBLE / 1000 - 1 AS y,
  ['DE', 'FR', 'IT', 'ES', 'PL'][(hash(i, 6) % 5 + 1)::INTEGER] AS country, 'sku-' || lpad((hash(i, 7) % 99999)::VARCHAR, 5, '0') AS sku,
  TIMESTAMP '2025-01-01' + INTERVAL (i % 31000000) SECOND AS placed
FROM range({rows}) AS t(i) ORDER BY i
"""
duckdb.sql(f"COPY ({query}) TO '{folder}/orders.parquet' (FORMAT parquet, COMPRESSION zstd)")
duckdb.sql(f"COPY (SELECT * REPLACE (strftime(placed, '%Y-%m-%dT%H:%M:%SZ') AS placed) FROM '{folder}/orders.parquet') TO '{folder}/orders.csv' (HEADER)")
