use crate::{check::Check, running::Service};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::{task::JoinHandle, time::Instant};

/// How many cities there are, with ids from 1 on.
const CITIES: f64 = 24_440.0;

/// Clients that read and write until the end. Between them they read every twentieth
/// time by slug, and a list every fiftieth time; every tenth request writes.
pub(crate) fn start(
    count: usize,
    service: &Arc<Service>,
    check: &Arc<Check>,
) -> Vec<JoinHandle<()>> {
    let client = |number| {
        let client = Client {
            number,
            written: 0,
            random: SmallRng::seed_from_u64(number as u64),
            service: Arc::clone(service),
            check: Arc::clone(check),
        };
        tokio::spawn(client.run())
    };
    (0..count).map(client).collect()
}

struct Client {
    number: usize,
    written: u64,
    random: SmallRng,
    service: Arc<Service>,
    check: Arc<Check>,
}

impl Client {
    async fn run(mut self) {
        while !self.check.has_ended() {
            let city = self.city();
            match self.random.random_range(0..100) {
                0..10 => self.write(city).await,
                10..12 => self.list(city).await,
                12..17 => self.read_by_slug(city).await,
                _ => drop(self.read(&format!("/api/cities/{city}"), city).await),
            }
        }
    }

    /// Popular ones most of all: its readers fall with a city's id, as by Zipf's law.
    fn city(&mut self) -> i64 {
        CITIES.powf(self.random.random::<f64>()) as i64
    }

    async fn read(&self, path: &str, city: i64) -> Option<Value> {
        let floor = self.check.floor(city);
        let started = Instant::now();
        match self.service.ask("GET", path, &[], None).await {
            Ok(answer) if answer.status == 200 => {
                let city = answer.json();
                self.check.was_read(&floor, &city);
                return Some(city);
            }
            Ok(answer) => self.check.read_failed(started, path, &told(&answer)),
            Err(error) => self.check.read_failed(started, path, &error.to_string()),
        }
        None
    }

    /// A slug never changes, so it is found by a read of the city.
    async fn read_by_slug(&self, city: i64) {
        let Some(read) = self.read(&format!("/api/cities/{city}"), city).await else { return };
        let Some(slug) = read["slug"].as_str() else { return };
        let path = format!("/api/cities/by-slug/{}", escaped(slug));
        self.read(&path, city).await;
    }

    /// The cities of a city's region. It must be among them, as new as it should be.
    async fn list(&self, city: i64) {
        let Some(read) = self.read(&format!("/api/cities/{city}"), city).await else { return };
        let (country, region) = (read["country"].as_str(), read["admin1"].as_str());
        let (Some(country), Some(region)) = (country, region) else { return };
        if region.is_empty() {
            return;
        }
        let after = city - 1;
        let path =
            format!("/api/countries/{country}/regions/{region}/cities?limit=1&after={after}");
        let floor = read["revision"].as_i64().unwrap_or(0);
        let started = Instant::now();
        match self.service.ask("GET", &path, &[], None).await {
            Ok(answer) if answer.status == 200 => {
                let mut found = answer.json()["items"][0].take();
                if found["id"] != city {
                    // It is told as no city.
                    found = Value::Null;
                }
                self.check.list_was_read(started, &[(floor, found)]);
            }
            Ok(answer) => self.check.read_failed(started, &path, &told(&answer)),
            Err(error) => self.check.read_failed(started, &path, &error.to_string()),
        }
    }

    async fn write(&mut self, city: i64) {
        self.written += 1;
        let name = format!("Client {} was here {} times", self.number, self.written);
        let path = format!("/api/cities/{city}");
        let change = json!({ "name": name });
        match self.service.ask("PATCH", &path, &[], Some(change)).await {
            Ok(answer) if answer.status == 200 => {
                self.check.was_written(&answer.json());
                // One's own write, most of all.
                self.read(&path, city).await;
            }
            Ok(answer) if answer.status == 503 => self.check.write_was_refused(),
            _ => self.check.write_failed(),
        }
    }
}

fn told(answer: &crate::running::Answer) -> String {
    format!("{} {}", answer.status, answer.text)
}

/// A slug may be of any script.
fn escaped(slug: &str) -> String {
    let escape = |byte: u8| match byte {
        b'-' | b'0'..=b'9' | b'a'..=b'z' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    slug.bytes().map(escape).collect()
}
