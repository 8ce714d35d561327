"""The names that cuDF has of those of pandas, by class; of cuDF 26.10.

They are what its sources define, less what does nothing but raise; its methods have fewer options
than those of pandas, which nothing here tells.
"""

from __future__ import annotations

__all__ = ["CUDF_NAMES"]

_TEXT = {
    "DataFrame": """
        T abs add add_prefix add_suffix agg all any apply assign astype at attrs axes bfill clip
        columns convert_dtypes copy corr count cov cummax cummin cumprod cumsum describe diff div
        divide dot drop drop_duplicates dropna dtypes duplicated empty eq equals eval ewm explode
        ffill fillna flags floordiv from_arrow from_dict from_records ge groupby gt head iat iloc
        index info insert interpolate isin isna isnull items iterrows itertuples join keys kurt
        kurtosis le loc lt map mask max mean median melt memory_usage merge min mod mode mul
        multiply ndim ne nlargest notna notnull nsmallest nunique pct_change pipe pivot pivot_table
        pop pow prod product quantile query radd rank rdiv reindex rename replace resample
        reset_index rfloordiv rmod rmul rolling round rpow rsub rtruediv sample select_dtypes
        set_flags set_index shape shift size skew sort_index sort_values squeeze stack std sub
        subtract sum swaplevel tail take to_csv to_dict to_feather to_hdf to_json to_numpy to_orc
        to_parquet to_records to_string transpose truediv truncate unstack update value_counts
        values var where
    """,
    "Series": """
        T abs add add_prefix add_suffix all any apply argsort astype at attrs autocorr axes between
        bfill cat clip convert_dtypes copy corr count cov cummax cummin cumprod cumsum describe diff
        div divide dot drop drop_duplicates dropna dt dtype dtypes duplicated empty eq equals ewm
        explode factorize ffill fillna flags floordiv from_arrow ge groupby gt hasnans head iat iloc
        index interpolate is_monotonic_decreasing is_monotonic_increasing is_unique isin isna isnull
        items keys kurt kurtosis le list loc lt map mask max mean median memory_usage min mod mode
        mul multiply name ndim ne nlargest notna notnull nsmallest nunique pct_change pipe pow prod
        product quantile radd rank rdiv reindex rename repeat replace resample reset_index rfloordiv
        rmod rmul rolling round rpow rsub rtruediv sample searchsorted set_flags shape shift size
        skew sort_index sort_values squeeze std str struct sub subtract sum tail take to_dict
        to_frame to_hdf to_json to_list to_numpy to_string tolist transpose truediv truncate unique
        update value_counts values var where
    """,
    "Index": """
        T all any append argsort astype copy difference drop_duplicates dropna dtype duplicated
        empty equals factorize fillna get_indexer get_level_values get_loc get_slice_bound
        has_duplicates hasnans inferred_type intersection is_monotonic_decreasing
        is_monotonic_increasing is_unique isin isna isnull join max memory_usage min name names ndim
        nlevels notna notnull nunique rename repeat searchsorted set_names shape size sort_values
        str take to_frame to_list to_numpy to_series tolist transpose union unique values where
    """,
    "MultiIndex": """
        codes droplevel dtypes from_arrays from_frame from_product from_tuples levels swaplevel
    """,
    "DatetimeIndex": """
        asi8 ceil date day day_name day_of_week day_of_year dayofweek dayofyear days_in_month
        daysinmonth floor freq hour indexer_between_time inferred_freq is_leap_year is_month_end
        is_month_start is_normalized is_quarter_end is_quarter_start is_year_end is_year_start
        isocalendar mean microsecond minute month month_name nanosecond normalize quarter round
        second std strftime time timetz to_julian_date to_period to_pydatetime tz tz_convert
        tz_localize tzinfo unit weekday year
    """,
    "DataFrameGroupBy": """
        agg aggregate all any apply bfill corr count cov cumcount cummax cummin cumprod cumsum
        describe diff ffill first get_group groups head idxmax idxmin indices last max mean median
        min ndim ngroup ngroups nth nunique pct_change pipe prod quantile rank rolling sample shift
        size std sum tail transform value_counts var
    """,
    "SeriesGroupBy": """
        agg aggregate all any apply bfill count cov cumcount cummax cummin cumprod cumsum describe
        diff ffill first get_group groups head idxmax idxmin indices last max mean median min ndim
        ngroup ngroups nth nunique pct_change pipe prod quantile rank rolling sample shift size std
        sum tail transform unique var
    """,
    "Rolling": """
        agg apply count first last max mean min nunique std sum var
    """,
    "StringMethods": """
        capitalize cat center contains count endswith extract find findall get index isalnum isalpha
        isdecimal isdigit islower isnumeric isspace istitle isupper join len ljust lower lstrip
        match pad partition removeprefix removesuffix repeat replace rfind rindex rjust rpartition
        rsplit rstrip slice slice_replace split startswith strip swapcase title translate upper wrap
        zfill
    """,
    "DatetimeProperties": """
        ceil components date day day_name day_of_week day_of_year dayofweek dayofyear days
        days_in_month daysinmonth floor freq hour is_leap_year is_month_end is_month_start
        is_quarter_end is_quarter_start is_year_end is_year_start isocalendar microsecond
        microseconds minute month month_name nanosecond nanoseconds quarter round second seconds
        strftime time timetz to_pydatetime to_pytimedelta total_seconds tz tz_convert tz_localize
        unit weekday year
    """,
    "CategoricalAccessor": """
        add_categories as_ordered as_unordered categories codes ordered remove_categories
        reorder_categories set_categories
    """,
    "Resampler": """
        agg aggregate apply asfreq bfill count ffill first get_group groups indices last max mean
        median min ndim ngroups nunique pipe prod quantile size std sum transform var
    """,
}

CUDF_NAMES: dict[str, frozenset[str]] = {kind: frozenset(t.split()) for kind, t in _TEXT.items()}
"""Names by class; those of `Index` belong to its subclasses, too."""
