"""The queries of the table of benchmarks in the way of Polars, for its row of the table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from benchmarks.tpch.queries import Tables

__all__ = ["queries"]


def queries() -> dict[int, Callable[[Tables], Any]]:
    """Return the queries; Polars is imported by who asks for them."""
    import polars as pl

    col, lit = pl.col, pl.lit
    revenue = (col("l_extendedprice") * (1 - col("l_discount"))).alias("revenue")

    def between(column: str, since: datetime, until: datetime) -> Any:
        return (col(column) >= since) & (col(column) < until)

    def q1(t: Tables) -> Any:
        price = col("l_extendedprice") * (1 - col("l_discount"))
        lines = t.lineitem.filter(col("l_shipdate") <= datetime(1998, 9, 2))
        return (
            lines.group_by("l_returnflag", "l_linestatus")
            .agg(
                col("l_quantity").sum().alias("sum_qty"),
                col("l_extendedprice").sum().alias("sum_base_price"),
                price.sum().alias("sum_disc_price"),
                (price * (1 + col("l_tax"))).sum().alias("sum_charge"),
                col("l_quantity").mean().alias("avg_qty"),
                col("l_extendedprice").mean().alias("avg_price"),
                col("l_discount").mean().alias("avg_disc"),
                pl.len().alias("count_order"),
            )
            .sort("l_returnflag", "l_linestatus")
        )

    def q3(t: Tables) -> Any:
        day = datetime(1995, 3, 15)
        orders = t.orders.filter(col("o_orderdate") < day).join(
            t.customer.filter(col("c_mktsegment") == "BUILDING"),
            left_on="o_custkey",
            right_on="c_custkey",
        )
        lines = t.lineitem.filter(col("l_shipdate") > day)
        found = lines.join(orders, left_on="l_orderkey", right_on="o_orderkey")
        totals = found.group_by("l_orderkey", "o_orderdate", "o_shippriority").agg(revenue.sum())
        totals = totals.select("l_orderkey", "revenue", "o_orderdate", "o_shippriority")
        return totals.sort("revenue", "o_orderdate", descending=[True, False]).head(10)

    def q4(t: Tables) -> Any:
        orders = t.orders.filter(
            between("o_orderdate", datetime(1993, 7, 1), datetime(1993, 10, 1))
        )
        late = t.lineitem.filter(col("l_commitdate") < col("l_receiptdate"))
        found = orders.join(late, left_on="o_orderkey", right_on="l_orderkey", how="semi")
        return (
            found.group_by("o_orderpriority")
            .agg(pl.len().alias("order_count"))
            .sort("o_orderpriority")
        )

    def q5(t: Tables) -> Any:
        region = t.region.filter(col("r_name") == "ASIA")
        nations = t.nation.join(region, left_on="n_regionkey", right_on="r_regionkey")
        suppliers = t.supplier.join(nations, left_on="s_nationkey", right_on="n_nationkey")
        orders = t.orders.filter(between("o_orderdate", datetime(1994, 1, 1), datetime(1995, 1, 1)))
        found = (
            t.lineitem.join(orders, left_on="l_orderkey", right_on="o_orderkey")
            .join(t.customer, left_on="o_custkey", right_on="c_custkey")
            .join(
                suppliers,
                left_on=["l_suppkey", "c_nationkey"],
                right_on=["s_suppkey", "s_nationkey"],
            )
        )
        return found.group_by("n_name").agg(revenue.sum()).sort("revenue", descending=True)

    def q6(t: Tables) -> Any:
        return t.lineitem.filter(
            between("l_shipdate", datetime(1994, 1, 1), datetime(1995, 1, 1))
            & col("l_discount").is_between(0.04999, 0.07001)
            & (col("l_quantity") < 24)
        ).select((col("l_extendedprice") * col("l_discount")).sum().alias("revenue"))

    def q9(t: Tables) -> Any:
        parts = t.part.filter(col("p_name").str.contains("green", literal=True))
        sellers = t.supplier.join(t.nation, left_on="s_nationkey", right_on="n_nationkey")
        profit = col("l_extendedprice") * (1 - col("l_discount"))
        profit = profit - col("ps_supplycost") * col("l_quantity")
        found = (
            t.lineitem.join(parts, left_on="l_partkey", right_on="p_partkey")
            .join(
                t.partsupp,
                left_on=["l_partkey", "l_suppkey"],
                right_on=["ps_partkey", "ps_suppkey"],
            )
            .join(sellers, left_on="l_suppkey", right_on="s_suppkey")
            .join(t.orders, left_on="l_orderkey", right_on="o_orderkey")
            .with_columns(col("o_orderdate").dt.year().alias("o_year"))
        )
        totals = found.group_by(col("n_name").alias("nation"), "o_year")
        totals = totals.agg(profit.sum().alias("sum_profit"))
        return totals.sort("nation", "o_year", descending=[False, True])

    def q10(t: Tables) -> Any:
        orders = t.orders.filter(
            between("o_orderdate", datetime(1993, 10, 1), datetime(1994, 1, 1))
        )
        found = (
            t.lineitem.filter(col("l_returnflag") == "R")
            .join(orders, left_on="l_orderkey", right_on="o_orderkey")
            .join(t.customer, left_on="o_custkey", right_on="c_custkey")
            .join(t.nation, left_on="c_nationkey", right_on="n_nationkey")
        )
        keys = ["o_custkey", "c_name", "c_acctbal", "n_name", "c_address", "c_phone", "c_comment"]
        columns = ["o_custkey", "c_name", "revenue", *keys[2:]]
        totals = found.group_by(keys).agg(revenue.sum()).select(columns)
        return totals.sort("revenue", descending=True).head(20)

    def q12(t: Tables) -> Any:
        lines = t.lineitem.filter(
            col("l_shipmode").is_in(["MAIL", "SHIP"])
            & (col("l_commitdate") < col("l_receiptdate"))
            & (col("l_shipdate") < col("l_commitdate"))
            & between("l_receiptdate", datetime(1994, 1, 1), datetime(1995, 1, 1))
        )
        urgent = col("o_orderpriority").is_in(["1-URGENT", "2-HIGH"])
        found = t.orders.join(lines, left_on="o_orderkey", right_on="l_orderkey")
        counts = found.group_by("l_shipmode").agg(
            urgent.sum().alias("high_line_count"), (~urgent).sum().alias("low_line_count")
        )
        return counts.sort("l_shipmode")

    def q13(t: Tables) -> Any:
        orders = t.orders.filter(~col("o_comment").str.contains("special.*requests"))
        found = t.customer.join(orders, left_on="c_custkey", right_on="o_custkey", how="left")
        counts = found.group_by("c_custkey").agg(col("o_orderkey").count().alias("c_count"))
        totals = counts.group_by("c_count").agg(pl.len().alias("custdist"))
        return totals.sort("custdist", "c_count", descending=[True, True])

    def q18(t: Tables) -> Any:
        totals = t.lineitem.group_by("l_orderkey").agg(col("l_quantity").sum())
        large = totals.filter(col("l_quantity") > 300)
        found = t.orders.join(large, left_on="o_orderkey", right_on="l_orderkey")
        found = found.join(t.customer, left_on="o_custkey", right_on="c_custkey")
        columns = ["c_name", "o_custkey", "o_orderkey", "o_orderdate", "o_totalprice", "l_quantity"]
        order = ["o_totalprice", "o_orderdate", "o_orderkey"]
        return found.select(columns).sort(order, descending=[True, False, False]).head(100)

    def q21(t: Tables) -> Any:
        is_late = col("l_receiptdate") > col("l_commitdate")
        late = t.lineitem.filter(is_late)
        sellers = t.lineitem.group_by("l_orderkey")
        sellers = sellers.agg(col("l_suppkey").n_unique().alias("sellers"))
        tardy = late.group_by("l_orderkey").agg(col("l_suppkey").n_unique().alias("tardy"))
        nations = t.nation.filter(col("n_name") == "SAUDI ARABIA")
        suppliers = t.supplier.join(nations, left_on="s_nationkey", right_on="n_nationkey")
        orders = t.orders.filter(col("o_orderstatus") == lit("F"))
        found = (
            late.join(suppliers, left_on="l_suppkey", right_on="s_suppkey")
            .join(orders, left_on="l_orderkey", right_on="o_orderkey")
            .join(sellers.filter(col("sellers") > 1), on="l_orderkey")
            .join(tardy.filter(col("tardy") == 1), on="l_orderkey")
        )
        counts = found.group_by("s_name").agg(pl.len().alias("numwait"))
        return counts.sort("numwait", "s_name", descending=[True, False]).head(100)

    each = (q1, q3, q4, q5, q6, q9, q10, q12, q13, q18, q21)
    return {int(query.__name__[1:]): query for query in each}
