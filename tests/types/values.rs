//! Values of each type: some that are tried every time, since they are at an edge, and
//! random ones.

use crate::databases::Kind;
use chrono::{DateTime, Days, FixedOffset, Local, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use std::fmt::Debug;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};
use uuid::Uuid;

/// Values, of which the first ones are tried every time.
#[derive(Debug)]
pub(crate) struct Values<T> {
    all: Vec<T>,
    fixed: usize,
}

impl<T> Values<T> {
    /// `some`, and random ones.
    pub(crate) fn new(some: impl IntoIterator<Item = T>, random: impl Strategy<Value = T>) -> Self
    where
        T: Debug,
    {
        let mut all: Vec<T> = some.into_iter().collect();
        let fixed = all.len();
        let count =
            std::env::var("TYPES_VALUES").map_or(6, |count| count.parse().expect("a count"));
        let mut runner = TestRunner::new(Config::default());
        let random = (0..count).map(|_| random.new_tree(&mut runner).expect("a value").current());
        all.extend(random);
        Self { all, fixed }
    }

    pub(crate) fn map<U>(self, map: impl Fn(T) -> U) -> Values<U> {
        Values { all: self.all.into_iter().map(map).collect(), fixed: self.fixed }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.all.iter()
    }

    pub(crate) fn first(&self) -> &T {
        &self.all[0]
    }

    pub(crate) fn fixed(&self) -> usize {
        self.fixed
    }
}

impl<T, const N: usize> From<[T; N]> for Values<T> {
    fn from(all: [T; N]) -> Self {
        Self { all: all.into(), fixed: N }
    }
}

/// An integer's ends, and numbers in between.
pub(crate) fn integers<T>() -> Values<T>
where
    T: Arbitrary + Copy + Debug + From<bool> + Bounds,
{
    Values::new([T::from(true), T::from(false), T::MIN, T::MAX], any::<T>())
}

pub(crate) trait Bounds {
    const MIN: Self;
    const MAX: Self;
}

macro_rules! bounds {
    ($($ty:ident)+) => {$(
        impl Bounds for $ty {
            const MIN: Self = $ty::MIN;
            const MAX: Self = $ty::MAX;
        }
    )+};
}

bounds!(i8 i16 i32 i64 u8 u16 u32 u64);

/// At most 40 characters.
pub(crate) fn texts() -> Values<String> {
    let some = [
        "a",
        "A",
        "a ",
        " a",
        "  ",
        " ",
        "",
        "a\t",
        "a\n",
        "1",
        "007",
        "1e3",
        "NULL",
        "null",
        "(",
        ")(",
        "%",
        "'",
        "\\",
        "\"",
        "é",
        "e\u{301}",
        "ß",
        "ss",
        "İ",
        "\u{1F980}",
        "\u{10FFFF}",
        "\u{feff}",
        "\u{a0}",
        "\u{3000}",
        "a\0b",
        "a\0",
        "2026-01-31",
        "x'61'",
    ]
    .map(str::to_owned);
    let random = proptest::collection::vec(any::<char>(), 0..16);
    let random = random.prop_map(|chars| chars.into_iter().filter(|char| *char != '\0').collect());
    Values::new(some, random)
}

/// At most 60 bytes.
pub(crate) fn byte_strings() -> Values<Vec<u8>> {
    let some =
        [&b"a"[..], b"A", b"a ", b"", b"\0", b"\0\0", b"a\0", b"\xff\xfe", b"'\\", &[0xc3; 60]];
    Values::new(some.map(<[u8]>::to_vec), proptest::collection::vec(any::<u8>(), 0..60))
}

pub(crate) fn uuids() -> Values<Uuid> {
    let some = [
        Uuid::from_u128(0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8),
        Uuid::nil(),
        Uuid::max(),
        // The bytes are text.
        Uuid::from_bytes(*b"0123456789abcdef"),
    ];
    Values::new(some, any::<u128>().prop_map(Uuid::from_u128))
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

/// Days that the database has, and the first and last that it has not.
pub(crate) fn chrono_dates(here: Kind) -> Values<NaiveDate> {
    let first = day(1000, 1, 1);
    let mut some =
        vec![day(2026, 1, 31), day(1969, 12, 31), day(2000, 2, 29), day(9999, 12, 31), first];
    match here {
        Kind::MariaDb => some.push(day(-1, 12, 31)),
        Kind::Postgres | Kind::Sqlite => {
            some.extend([day(1, 1, 1), day(0, 12, 31), day(-1, 1, 1), day(10_000, 1, 1)]);
            some.push(day(200_000, 12, 31));
        }
    }
    Values::new(some, (0..3_280_000_u64).prop_map(move |days| first + Days::new(days)))
}

/// Fractions that databases keep, and fractions that they do not.
const FRACTIONS: [u32; 8] =
    [0, 500_000_000, 999_999_999, 123_456_789, 123_456_000, 100_000_000, 1_000, 1];

fn nanoseconds() -> impl Strategy<Value = u32> {
    prop_oneof![0..1_000_000_000_u32, (0..1_000_000_u32).prop_map(|n| n * 1_000)]
}

pub(crate) fn chrono_times() -> Values<NaiveTime> {
    let time = |second, nanosecond| {
        NaiveTime::from_num_seconds_from_midnight_opt(second, nanosecond).expect("a time")
    };
    let some = FRACTIONS.map(|fraction| time(43_200, fraction));
    let some = some.into_iter().chain([time(0, 0), time(86_399, 0)]);
    Values::new(some, (0..86_399_u32, nanoseconds()).prop_map(move |(s, n)| time(s, n)))
}

pub(crate) fn chrono_date_times(here: Kind) -> Values<NaiveDateTime> {
    let noon = NaiveTime::from_hms_opt(12, 0, 0).expect("a time");
    let at = |nanosecond| {
        let time = NaiveTime::from_hms_nano_opt(23, 59, 58, nanosecond).expect("a time");
        day(2026, 1, 31).and_time(time)
    };
    let days = chrono_dates(here);
    let mut some: Vec<_> = FRACTIONS.into_iter().map(at).collect();
    some.extend(days.iter().take(days.fixed()).map(|day| day.and_time(noon)));
    let random = (0..10_000_u64, 0..86_399_u32, nanoseconds()).prop_map(|(days, second, nano)| {
        let time = NaiveTime::from_num_seconds_from_midnight_opt(second, nano).expect("a time");
        (day(1990, 1, 1) + Days::new(days)).and_time(time)
    });
    Values::new(some, random)
}

pub(crate) fn chrono_utc(here: Kind) -> Values<DateTime<Utc>> {
    chrono_date_times(here).map(|at| at.and_utc())
}

pub(crate) fn chrono_fixed(here: Kind) -> Values<DateTime<FixedOffset>> {
    let nepal = FixedOffset::east_opt(20_700).expect("an offset");
    chrono_utc(here).map(|at| at.with_timezone(&nepal))
}

pub(crate) fn chrono_local(here: Kind) -> Values<DateTime<Local>> {
    chrono_utc(here).map(|at| at.with_timezone(&Local))
}

fn to_date(date: NaiveDate) -> Option<Date> {
    use chrono::Datelike as _;
    let ordinal = u16::try_from(date.ordinal()).ok()?;
    Date::from_ordinal_date(date.year(), ordinal).ok()
}

fn to_time(time: NaiveTime) -> Time {
    use chrono::Timelike as _;
    let part = |part: u32| u8::try_from(part).expect("less than 60");
    let (hour, minute, second) = (part(time.hour()), part(time.minute()), part(time.second()));
    Time::from_hms_nano(hour, minute, second, time.nanosecond()).expect("a time")
}

impl<T> Values<T> {
    /// Those of which there is another.
    fn filter_map<U>(self, map: impl Fn(T) -> Option<U>) -> Values<U> {
        let fixed = self.fixed;
        let mapped = self.all.into_iter().enumerate();
        let mapped: Vec<_> = mapped.filter_map(|(at, value)| Some((at, map(value)?))).collect();
        let fixed = mapped.iter().filter(|(at, _)| *at < fixed).count();
        Values { all: mapped.into_iter().map(|(_, value)| value).collect(), fixed }
    }
}

pub(crate) fn dates(here: Kind) -> Values<Date> {
    chrono_dates(here).filter_map(to_date)
}

pub(crate) fn times() -> Values<Time> {
    chrono_times().map(to_time)
}

pub(crate) fn date_times(here: Kind) -> Values<PrimitiveDateTime> {
    chrono_date_times(here)
        .filter_map(|at| Some(PrimitiveDateTime::new(to_date(at.date())?, to_time(at.time()))))
}

/// In another zone than UTC's.
pub(crate) fn offset_date_times(here: Kind) -> Values<OffsetDateTime> {
    let nepal = UtcOffset::from_hms(5, 45, 0).expect("an offset");
    date_times(here).filter_map(move |at| at.assume_utc().checked_to_offset(nepal))
}
