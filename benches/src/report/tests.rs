use super::{markdown::page, plots::all, write};
use crate::results::{Results, Series};
use benches::{Result, drive::Measured};
use std::fs;

fn round(units: u64) -> Measured {
    Measured {
        units,
        seconds: 0.5,
        client_cpu: units as f64 * 3.12e-6,
        cache_cpu: units as f64 * 1e-6,
        database_cpu: 0.0,
        p50: 280.0,
        p99: 1234.0,
        p999: 9876.0,
        loads: 0,
        stale: 0,
    }
}

fn series(workload: &str, contestant: &str, tasks: usize, rounds: &[u64]) -> Series {
    let rounds = rounds.iter().copied().map(round).collect();
    Series { workload: workload.to_owned(), contestant: contestant.to_owned(), tasks, rounds }
}

fn small() -> Results {
    let mut results = Results {
        machine: "2 × CPU, 8 GiB, Linux 6".to_owned(),
        date: "2026-11-26".to_owned(),
        quick: true,
        series: vec![
            series("hits", "bare lanes", 64, &[60_000]),
            series("hits", "cached-orm, memcached", 64, &[50_000, 45_000, 52_000]),
            series("hits", "cached-orm, memcached", 1, &[6_170]),
            series("mix", "memcache by hand", 64, &[1_000, 2_000]),
            series("growth-keys-1000", "cached-orm, memcached", 64, &[1_000]),
            series("growth-keys-100000", "cached-orm, memcached", 64, &[950]),
        ],
        ..Results::default()
    };
    results.series[3].rounds[1].stale = 7;
    results.fact("versions", "memcached 1.6.18", 0.0, "");
    results.fact("memory", "an idle Orm", 640.0, "KiB");
    results
}

#[test]
fn the_page_is_as_people_read_it() -> Result<()> {
    let results = small();
    let page = page(&results, &all(&results)?);
    let (goals, tables) = page.split_once("\n![").ok_or("no plot")?;
    for line in [
        "2 × CPU, 8 GiB, Linux 6, memcached 1.6.18, 2026-11-26. The quick form, which",
        "| hits, throughput at 64 tasks | ≥ 0.8 × bare lanes | 0.83 × (100,000/s to 120,000/s) | yes |\n",
        "| hits, throughput at 64 tasks | ≥ 3 × memcache by hand | not measured | – |\n",
        "| memory of an idle `Orm` | ≤ 1 MiB | 640 KiB | yes |\n",
    ] {
        assert!(goals.contains(line), "{line}\nis not in\n{goals}");
    }
    let expected = "\
Rows read by primary key in a second, 64 tasks](hits.svg)

![Rows read by primary key in a second beside the number of tasks](tasks.svg)

![Reads by Zipf's law with 5 % writes, and stale answers](mix.svg)

![Hits beside the number of keys](growth-keys.svg)

## Hits

| tasks | contestant | rows | client CPU a row | servers' CPU a row | p50 | p99 | p99.9 |
|--:|---|--:|--:|--:|--:|--:|--:|
| 1 | **cached-orm, memcached** | 12,300/s (12,300–12,300) | 3.1 µs | 1.0 µs | 280 µs | 1.2 ms | 9.9 ms |
| 64 | bare lanes | 120,000/s (120,000–120,000) | 3.1 µs | 1.0 µs | 280 µs | 1.2 ms | 9.9 ms |
| 64 | **cached-orm, memcached** | 100,000/s (90,000–104,000) | 3.1 µs | 1.0 µs | 280 µs | 1.2 ms | 9.9 ms |

## Mix

| tasks | contestant | rows | client CPU a row | servers' CPU a row | p50 | p99 | p99.9 | stale answers |
|--:|---|--:|--:|--:|--:|--:|--:|--:|
| 64 | memcache by hand | 3,000/s (2,000–4,000) | 3.1 µs | 1.0 µs | 280 µs | 1.2 ms | 9.9 ms | 7 of 3,000 |

## Growth, keys

| tasks | contestant | rows | client CPU a row | servers' CPU a row | p50 | p99 | p99.9 |
|--:|---|--:|--:|--:|--:|--:|--:|
| 64 | **cached-orm, memcached, 1,000 keys** | 2,000/s (2,000–2,000) | 3.1 µs | 1.0 µs | 280 µs | 1.2 ms | 9.9 ms |
| 64 | **cached-orm, memcached, 100,000 keys** | 1,900/s (1,900–1,900) | 3.1 µs | 1.0 µs | 280 µs | 1.2 ms | 9.9 ms |

## Memory

| | |
|---|--:|
| an idle Orm | 640 KiB |
";
    assert_eq!(tables, expected);
    Ok(())
}

#[test]
fn plots_say_in_words_what_they_show() -> Result<()> {
    let plots = all(&small())?;
    let svg = |file| {
        let plot = plots.iter().find(|plot| plot.file == file);
        plot.and_then(|plot| plot.svg.as_deref()).unwrap_or_default()
    };
    for words in ["cached-orm, memcached", "100,000/s", "bare lanes", "120,000/s", "2 × CPU"] {
        assert!(svg("hits.svg").contains(words), "{words}");
    }
    assert!(svg("mix.svg").contains("3,000/s, 7 stale"));
    assert!(svg("tasks.svg").contains("tasks at once"));
    // Nothing was measured of these.
    assert_eq!(svg("growth-servers.svg"), "");
    assert_eq!(svg("hits-in-process.svg"), "");
    Ok(())
}

#[test]
fn a_run_replaces_what_the_one_before_has_left() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let folder = scratch.path().join("results");
    write(&small(), &folder)?;
    let read: Results = serde_json::from_str(&fs::read_to_string(folder.join("results.json"))?)?;
    assert_eq!(read.series.len(), small().series.len());
    assert!(folder.join("mix.svg").exists());
    write(&Results::default(), &folder)?;
    assert!(!folder.join("mix.svg").exists());
    assert!(fs::read_to_string(folder.join("results.md"))?.contains("not measured"));
    Ok(())
}
