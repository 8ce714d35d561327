"""The 22 queries of TPC-H as a user of pandas writes them; defaults are the validation run's.

Each takes the tables, of any library with the interface of pandas, and returns a frame or a number
of it, lazy where the library is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QUERIES", "TABLES", "Tables"]

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


@dataclass(frozen=True)
class Tables:
    """The eight tables."""

    customer: Any
    lineitem: Any
    nation: Any
    orders: Any
    part: Any
    partsupp: Any
    region: Any
    supplier: Any


def date(text: str, **later: int) -> pd.Timestamp:
    import pandas as pd  # here, or workloads of arrays would have it in memory

    return pd.Timestamp(text) + pd.DateOffset(**{"days": 0} | later)


def revenue(frame: Any) -> Any:
    return frame.l_extendedprice * (1 - frame.l_discount)


def q1(t: Tables, delta: int = 90) -> Any:
    lines = t.lineitem[t.lineitem.l_shipdate <= date("1998-12-01", days=-delta)]
    lines = lines.assign(disc_price=revenue(lines))
    lines = lines.assign(charge=lines.disc_price * (1 + lines.l_tax))
    totals = lines.groupby(["l_returnflag", "l_linestatus"]).agg(
        sum_qty=("l_quantity", "sum"),
        sum_base_price=("l_extendedprice", "sum"),
        sum_disc_price=("disc_price", "sum"),
        sum_charge=("charge", "sum"),
        avg_qty=("l_quantity", "mean"),
        avg_price=("l_extendedprice", "mean"),
        avg_disc=("l_discount", "mean"),
        count_order=("l_orderkey", "count"),
    )
    return totals.reset_index().sort_values(["l_returnflag", "l_linestatus"])


def q2(t: Tables, size: int = 15, kind: str = "BRASS", region: str = "EUROPE") -> Any:
    nations = t.nation.merge(
        t.region[t.region.r_name == region], left_on="n_regionkey", right_on="r_regionkey"
    )
    suppliers = t.supplier.merge(nations, left_on="s_nationkey", right_on="n_nationkey")
    parts = t.part[(t.part.p_size == size) & t.part.p_type.str.endswith(kind)]
    offers = t.partsupp.merge(parts, left_on="ps_partkey", right_on="p_partkey")
    offers = offers.merge(suppliers, left_on="ps_suppkey", right_on="s_suppkey")
    least = offers.groupby("p_partkey").ps_supplycost.min().reset_index()
    found = offers.merge(least, on=["p_partkey", "ps_supplycost"])
    columns = ["s_acctbal", "s_name", "n_name", "p_partkey"]
    columns += ["p_mfgr", "s_address", "s_phone", "s_comment"]
    order = ["s_acctbal", "n_name", "s_name", "p_partkey"]
    return found[columns].sort_values(order, ascending=[False, True, True, True]).head(100)


def q3(t: Tables, segment: str = "BUILDING", day: str = "1995-03-15") -> Any:
    customers = t.customer[t.customer.c_mktsegment == segment]
    orders = t.orders[t.orders.o_orderdate < date(day)]
    lines = t.lineitem[t.lineitem.l_shipdate > date(day)]
    found = orders.merge(customers, left_on="o_custkey", right_on="c_custkey")
    found = lines.merge(found, left_on="l_orderkey", right_on="o_orderkey")
    found = found.assign(revenue=revenue(found))
    totals = found.groupby(["l_orderkey", "o_orderdate", "o_shippriority"]).revenue.sum()
    totals = totals.reset_index()[["l_orderkey", "revenue", "o_orderdate", "o_shippriority"]]
    return totals.sort_values(["revenue", "o_orderdate"], ascending=[False, True]).head(10)


def q4(t: Tables, day: str = "1993-07-01") -> Any:
    since, until = date(day), date(day, months=3)
    orders = t.orders[(t.orders.o_orderdate >= since) & (t.orders.o_orderdate < until)]
    late = t.lineitem[t.lineitem.l_commitdate < t.lineitem.l_receiptdate]
    late = late[["l_orderkey"]].drop_duplicates()
    found = orders.merge(late, left_on="o_orderkey", right_on="l_orderkey")
    counts = found.groupby("o_orderpriority").agg(order_count=("o_orderkey", "count"))
    return counts.reset_index().sort_values("o_orderpriority")


def q5(t: Tables, region: str = "ASIA", day: str = "1994-01-01") -> Any:
    nations = t.nation.merge(
        t.region[t.region.r_name == region], left_on="n_regionkey", right_on="r_regionkey"
    )
    since, until = date(day), date(day, years=1)
    orders = t.orders[(t.orders.o_orderdate >= since) & (t.orders.o_orderdate < until)]
    suppliers = t.supplier.merge(nations, left_on="s_nationkey", right_on="n_nationkey")
    found = t.lineitem.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    found = found.merge(t.customer, left_on="o_custkey", right_on="c_custkey")
    found = found.merge(
        suppliers, left_on=["l_suppkey", "c_nationkey"], right_on=["s_suppkey", "s_nationkey"]
    )
    found = found.assign(revenue=revenue(found))
    totals = found.groupby("n_name").revenue.sum().reset_index()
    return totals.sort_values("revenue", ascending=False)


def q6(t: Tables, day: str = "1994-01-01", discount: float = 0.06, quantity: int = 24) -> Any:
    lines = t.lineitem
    lines = lines[
        (lines.l_shipdate >= date(day))
        & (lines.l_shipdate < date(day, years=1))
        & (lines.l_discount >= discount - 0.01001)
        & (lines.l_discount <= discount + 0.01001)
        & (lines.l_quantity < quantity)
    ]
    return (lines.l_extendedprice * lines.l_discount).sum()


def q7(t: Tables, one: str = "FRANCE", other: str = "GERMANY") -> Any:
    nations = t.nation[t.nation.n_name.isin([one, other])][["n_nationkey", "n_name"]]
    sellers = nations.rename(columns={"n_name": "supp_nation"})
    buyers = nations.rename(columns={"n_name": "cust_nation"})
    suppliers = t.supplier.merge(sellers, left_on="s_nationkey", right_on="n_nationkey")
    customers = t.customer.merge(buyers, left_on="c_nationkey", right_on="n_nationkey")
    orders = t.orders.merge(
        customers[["c_custkey", "cust_nation"]], left_on="o_custkey", right_on="c_custkey"
    )
    lines = t.lineitem[t.lineitem.l_shipdate.between(date("1995-01-01"), date("1996-12-31"))]
    lines = lines.merge(
        suppliers[["s_suppkey", "supp_nation"]], left_on="l_suppkey", right_on="s_suppkey"
    )
    found = lines.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    found = found[found.supp_nation != found.cust_nation]
    found = found.assign(l_year=found.l_shipdate.dt.year, revenue=revenue(found))
    keys = ["supp_nation", "cust_nation", "l_year"]
    return found.groupby(keys).revenue.sum().reset_index().sort_values(keys)


def q8(
    t: Tables,
    nation: str = "BRAZIL",
    region: str = "AMERICA",
    kind: str = "ECONOMY ANODIZED STEEL",
) -> Any:
    parts = t.part[t.part.p_type == kind]
    there = t.nation.merge(
        t.region[t.region.r_name == region], left_on="n_regionkey", right_on="r_regionkey"
    )
    customers = t.customer.merge(
        there[["n_nationkey"]], left_on="c_nationkey", right_on="n_nationkey"
    )[["c_custkey"]]
    orders = t.orders[t.orders.o_orderdate.between(date("1995-01-01"), date("1996-12-31"))]
    orders = orders.merge(customers, left_on="o_custkey", right_on="c_custkey")
    sellers = t.supplier.merge(
        t.nation[["n_nationkey", "n_name"]], left_on="s_nationkey", right_on="n_nationkey"
    )
    found = t.lineitem.merge(parts, left_on="l_partkey", right_on="p_partkey")
    found = found.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    found = found.merge(sellers, left_on="l_suppkey", right_on="s_suppkey")
    found = found.assign(o_year=found.o_orderdate.dt.year, volume=revenue(found))
    found = found.assign(own=found.volume.where(found.n_name == nation, 0.0))
    totals = found.groupby("o_year")[["own", "volume"]].sum().reset_index()
    totals = totals.assign(mkt_share=totals.own / totals.volume)
    return totals[["o_year", "mkt_share"]].sort_values("o_year")


def q9(t: Tables, color: str = "green") -> Any:
    parts = t.part[t.part.p_name.str.contains(color, regex=False)][["p_partkey"]]
    found = t.lineitem.merge(parts, left_on="l_partkey", right_on="p_partkey")
    found = found.merge(
        t.partsupp, left_on=["l_partkey", "l_suppkey"], right_on=["ps_partkey", "ps_suppkey"]
    )
    sellers = t.supplier.merge(t.nation, left_on="s_nationkey", right_on="n_nationkey")
    found = found.merge(sellers, left_on="l_suppkey", right_on="s_suppkey")
    found = found.merge(t.orders, left_on="l_orderkey", right_on="o_orderkey")
    found = found.assign(
        nation=found.n_name,
        o_year=found.o_orderdate.dt.year,
        sum_profit=revenue(found) - found.ps_supplycost * found.l_quantity,
    )
    totals = found.groupby(["nation", "o_year"]).sum_profit.sum().reset_index()
    return totals.sort_values(["nation", "o_year"], ascending=[True, False])


def q10(t: Tables, day: str = "1993-10-01") -> Any:
    since, until = date(day), date(day, months=3)
    orders = t.orders[(t.orders.o_orderdate >= since) & (t.orders.o_orderdate < until)]
    lines = t.lineitem[t.lineitem.l_returnflag == "R"]
    found = lines.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    found = found.merge(t.customer, left_on="o_custkey", right_on="c_custkey")
    found = found.merge(t.nation, left_on="c_nationkey", right_on="n_nationkey")
    found = found.assign(revenue=revenue(found))
    keys = ["c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment"]
    totals = found.groupby(keys).revenue.sum().reset_index()
    columns = ["c_custkey", "c_name", "revenue", "c_acctbal"]
    columns += ["n_name", "c_address", "c_phone", "c_comment"]
    return totals[columns].sort_values("revenue", ascending=False).head(20)


def q11(t: Tables, nation: str = "GERMANY", fraction: float = 0.0001) -> Any:
    """Find important stock; `fraction` is that of scale factor 1, divided by the scale factor."""
    nations = t.nation[t.nation.n_name == nation]
    suppliers = t.supplier.merge(nations, left_on="s_nationkey", right_on="n_nationkey")
    stock = t.partsupp.merge(suppliers, left_on="ps_suppkey", right_on="s_suppkey")
    stock = stock.assign(value=stock.ps_supplycost * stock.ps_availqty)
    totals = stock.groupby("ps_partkey").value.sum().reset_index()
    found = totals[totals.value > stock.value.sum() * fraction]
    return found.sort_values("value", ascending=False)


def q12(t: Tables, modes: tuple[str, str] = ("MAIL", "SHIP"), day: str = "1994-01-01") -> Any:
    lines = t.lineitem
    lines = lines[
        lines.l_shipmode.isin(list(modes))
        & (lines.l_commitdate < lines.l_receiptdate)
        & (lines.l_shipdate < lines.l_commitdate)
        & (lines.l_receiptdate >= date(day))
        & (lines.l_receiptdate < date(day, years=1))
    ]
    found = t.orders.merge(lines, left_on="o_orderkey", right_on="l_orderkey")
    urgent = found.o_orderpriority.isin(["1-URGENT", "2-HIGH"])
    found = found.assign(
        high_line_count=urgent.astype("int64"), low_line_count=(~urgent).astype("int64")
    )
    counts = found.groupby("l_shipmode")[["high_line_count", "low_line_count"]].sum()
    return counts.reset_index().sort_values("l_shipmode")


def q13(t: Tables, one: str = "special", other: str = "requests") -> Any:
    orders = t.orders[~t.orders.o_comment.str.contains(f"{one}.*{other}")]
    found = t.customer.merge(orders, how="left", left_on="c_custkey", right_on="o_custkey")
    counts = found.groupby("c_custkey").o_orderkey.count().reset_index()
    counts = counts.rename(columns={"o_orderkey": "c_count"})
    totals = counts.groupby("c_count").c_custkey.count().reset_index()
    totals = totals.rename(columns={"c_custkey": "custdist"})
    return totals.sort_values(["custdist", "c_count"], ascending=[False, False])


def q14(t: Tables, day: str = "1995-09-01") -> Any:
    lines = t.lineitem
    lines = lines[(lines.l_shipdate >= date(day)) & (lines.l_shipdate < date(day, months=1))]
    found = lines.merge(t.part, left_on="l_partkey", right_on="p_partkey")
    promoted = found[found.p_type.str.startswith("PROMO")]
    return 100 * revenue(promoted).sum() / revenue(found).sum()


def q15(t: Tables, day: str = "1996-01-01") -> Any:
    lines = t.lineitem
    lines = lines[(lines.l_shipdate >= date(day)) & (lines.l_shipdate < date(day, months=3))]
    lines = lines.assign(total_revenue=revenue(lines).round(4))
    totals = lines.groupby("l_suppkey").total_revenue.sum().round(4).reset_index()
    best = totals[totals.total_revenue == totals.total_revenue.max()]
    found = t.supplier.merge(best, left_on="s_suppkey", right_on="l_suppkey")
    columns = ["s_suppkey", "s_name", "s_address", "s_phone", "total_revenue"]
    return found[columns].sort_values("s_suppkey")


def q16(
    t: Tables,
    brand: str = "Brand#45",
    kind: str = "MEDIUM POLISHED",
    sizes: tuple[int, ...] = (49, 14, 23, 45, 19, 3, 36, 9),
) -> Any:
    parts = t.part[
        (t.part.p_brand != brand)
        & ~t.part.p_type.str.startswith(kind)
        & t.part.p_size.isin(list(sizes))
    ]
    complained = t.supplier[t.supplier.s_comment.str.contains("Customer.*Complaints")]
    complained = complained[["s_suppkey"]].rename(columns={"s_suppkey": "bad"})
    found = t.partsupp.merge(parts, left_on="ps_partkey", right_on="p_partkey")
    found = found.merge(complained, how="left", left_on="ps_suppkey", right_on="bad")
    found = found[found.bad.isna()]
    keys = ["p_brand", "p_type", "p_size"]
    counts = found.groupby(keys).ps_suppkey.nunique().reset_index()
    counts = counts.rename(columns={"ps_suppkey": "supplier_cnt"})
    return counts.sort_values(["supplier_cnt", *keys], ascending=[False, True, True, True])


def q17(t: Tables, brand: str = "Brand#23", container: str = "MED BOX") -> Any:
    parts = t.part[(t.part.p_brand == brand) & (t.part.p_container == container)]
    found = t.lineitem.merge(parts, left_on="l_partkey", right_on="p_partkey")
    means = found.groupby("l_partkey").l_quantity.mean().rename("mean_quantity").reset_index()
    found = found.merge(means, on="l_partkey")
    small = found[found.l_quantity < 0.2 * found.mean_quantity]
    return small.l_extendedprice.sum(min_count=1) / 7  # of no lines SQL has no sum


def q18(t: Tables, quantity: int = 300) -> Any:
    totals = t.lineitem.groupby("l_orderkey").l_quantity.sum().reset_index()
    large = totals[totals.l_quantity > quantity]
    found = t.orders.merge(large, left_on="o_orderkey", right_on="l_orderkey")
    found = found.merge(t.customer, left_on="o_custkey", right_on="c_custkey")
    columns = ["c_name", "c_custkey", "o_orderkey", "o_orderdate", "o_totalprice", "l_quantity"]
    order = ["o_totalprice", "o_orderdate", "o_orderkey"]
    return found[columns].sort_values(order, ascending=[False, True, True]).head(100)


def q19(
    t: Tables,
    brands: tuple[str, str, str] = ("Brand#12", "Brand#23", "Brand#34"),
    quantities: tuple[int, int, int] = (1, 10, 20),
) -> Any:
    lines = t.lineitem[
        t.lineitem.l_shipmode.isin(["AIR", "AIR REG"])
        & (t.lineitem.l_shipinstruct == "DELIVER IN PERSON")
    ]
    found = lines.merge(t.part, left_on="l_partkey", right_on="p_partkey")
    sizes = (5, 10, 15)
    containers = (("SM", "CASE BOX PACK PKG"), ("MED", "BAG BOX PKG PACK"))
    containers = (*containers, ("LG", "CASE BOX PACK PKG"))
    mask = None
    for brand, least, size, (width, kinds) in zip(
        brands, quantities, sizes, containers, strict=True
    ):
        own = (
            (found.p_brand == brand)
            & found.p_container.isin([f"{width} {kind}" for kind in kinds.split()])
            & found.l_quantity.between(least, least + 10)
            & found.p_size.between(1, size)
        )
        mask = own if mask is None else mask | own
    return revenue(found[mask]).sum()


def q20(t: Tables, color: str = "forest", day: str = "1994-01-01", nation: str = "CANADA") -> Any:
    parts = t.part[t.part.p_name.str.startswith(color)][["p_partkey"]]
    lines = t.lineitem
    lines = lines[(lines.l_shipdate >= date(day)) & (lines.l_shipdate < date(day, years=1))]
    shipped = lines.groupby(["l_partkey", "l_suppkey"]).l_quantity.sum().reset_index()
    stock = t.partsupp.merge(parts, left_on="ps_partkey", right_on="p_partkey")
    stock = stock.merge(
        shipped, left_on=["ps_partkey", "ps_suppkey"], right_on=["l_partkey", "l_suppkey"]
    )
    stock = stock[stock.ps_availqty > 0.5 * stock.l_quantity]
    keys = stock[["ps_suppkey"]].drop_duplicates()
    nations = t.nation[t.nation.n_name == nation]
    suppliers = t.supplier.merge(nations, left_on="s_nationkey", right_on="n_nationkey")
    found = suppliers.merge(keys, left_on="s_suppkey", right_on="ps_suppkey")
    return found[["s_name", "s_address"]].sort_values("s_name")


def q21(t: Tables, nation: str = "SAUDI ARABIA") -> Any:
    lines = t.lineitem[["l_orderkey", "l_suppkey", "l_commitdate", "l_receiptdate"]]
    late = lines[lines.l_receiptdate > lines.l_commitdate][["l_orderkey", "l_suppkey"]]
    sellers = lines[["l_orderkey", "l_suppkey"]].drop_duplicates()
    sellers = sellers.groupby("l_orderkey").l_suppkey.count().rename("sellers").reset_index()
    tardy = late.drop_duplicates()
    tardy = tardy.groupby("l_orderkey").l_suppkey.count().rename("tardy").reset_index()
    nations = t.nation[t.nation.n_name == nation]
    suppliers = t.supplier.merge(nations, left_on="s_nationkey", right_on="n_nationkey")
    found = late.merge(suppliers, left_on="l_suppkey", right_on="s_suppkey")
    orders = t.orders[t.orders.o_orderstatus == "F"]
    found = found.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    found = found.merge(sellers[sellers.sellers > 1], on="l_orderkey")
    found = found.merge(tardy[tardy.tardy == 1], on="l_orderkey")
    counts = found.groupby("s_name").l_orderkey.count().rename("numwait").reset_index()
    return counts.sort_values(["numwait", "s_name"], ascending=[False, True]).head(100)


def q22(t: Tables, codes: tuple[str, ...] = ("13", "31", "23", "29", "30", "18", "17")) -> Any:
    customers = t.customer.assign(cntrycode=t.customer.c_phone.str[:2])
    customers = customers[customers.cntrycode.isin(list(codes))]
    mean = customers[customers.c_acctbal > 0].c_acctbal.mean()
    rich = customers[customers.c_acctbal > mean]
    buyers = t.orders[["o_custkey"]].drop_duplicates()
    found = rich.merge(buyers, how="left", left_on="c_custkey", right_on="o_custkey")
    found = found[found.o_custkey.isna()]
    totals = found.groupby("cntrycode").agg(
        numcust=("c_acctbal", "count"), totacctbal=("c_acctbal", "sum")
    )
    return totals.reset_index().sort_values("cntrycode")


QUERIES: dict[int, Callable[..., Any]] = {
    number: globals()[f"q{number}"] for number in range(1, 23)
}
