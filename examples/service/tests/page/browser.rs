//! Chromium without a window, driven by ChromeDriver.

use crate::running::Failure;
use fantoccini::{Client, ClientBuilder, Locator, key::Key, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// For what a page shows; memcached's hold-off is a part of it.
const PATIENCE: Duration = Duration::from_secs(45);

/// What the page is looked at with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    Desk,
    /// Narrow, and dark.
    Phone,
}

pub(crate) struct Browser {
    client: Client,
    // Last: it goes when the client has.
    driver: Driver,
}

/// ChromeDriver; ended with this value.
struct Driver {
    child: Child,
    /// The browser's: it finds nothing of another one, and leaves nothing.
    profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) async fn start(screen: Screen) -> Result<Self, Failure> {
        let (driver, url) = Driver::start()?;
        let chromium = program("CHROMIUM_BINARY", &["chromium", "chromium-browser"])?;
        let profile = format!("--user-data-dir={}", driver.profile.path().display());
        let mut arguments = vec![
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--window-size=1180,1000",
            &profile,
        ];
        if screen == Screen::Phone {
            arguments.push("--blink-settings=preferredColorScheme=0");
        }
        let mut options = json!({ "binary": chromium, "args": arguments });
        if screen == Screen::Phone {
            let metrics = json!({ "width": 375, "height": 812, "pixelRatio": 1 });
            options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        let capabilities: Capabilities =
            [("goog:chromeOptions".to_owned(), options)].into_iter().collect();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&url).await?;
        Ok(Self { client, driver })
    }

    pub(crate) async fn goto(&self, url: &str) -> Result<(), Failure> {
        Ok(self.client.goto(url).await?)
    }

    pub(crate) async fn reload(&self) -> Result<(), Failure> {
        Ok(self.client.refresh().await?)
    }

    pub(crate) async fn click(&self, what: Locator<'_>) -> Result<(), Failure> {
        Ok(self.client.wait().at_most(PATIENCE).for_element(what).await?.click().await?)
    }

    /// Replaces what stands in a field, key by key, as a person would.
    pub(crate) async fn type_over(&self, field: &str, text: &str) -> Result<(), Failure> {
        let field = self.client.find(Locator::Css(field)).await?;
        field.send_keys(&(Key::Control + "a")).await?;
        field.send_keys(&Key::Null).await?;
        field.send_keys(&Key::Backspace).await?;
        Ok(field.send_keys(text).await?)
    }

    /// Presses a key where the focus is.
    pub(crate) async fn press(&self, key: Key) -> Result<(), Failure> {
        Ok(self.client.active_element().await?.send_keys(&key).await?)
    }

    pub(crate) async fn text(&self, of: &str) -> Result<String, Failure> {
        // `textContent`, since what a browser calls text is wrapped and cut.
        let script = "return document.querySelector(arguments[0])?.textContent ?? ''";
        let text = self.client.execute(script, vec![of.into()]).await?;
        Ok(text.as_str().unwrap_or_default().trim().to_owned())
    }

    pub(crate) async fn value(&self, of: &str) -> Result<String, Failure> {
        let field = self.client.find(Locator::Css(of)).await?;
        Ok(field.prop("value").await?.unwrap_or_default())
    }

    pub(crate) async fn run(&self, script: &str) -> Result<Value, Failure> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Waits until a text is as it should be.
    pub(crate) async fn until(
        &self,
        of: &str,
        wanted: &str,
        is_so: impl Fn(&str) -> bool,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text(of).await?;
            if is_so(&text) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("{of} should show {wanted}, and shows `{text}`").into());
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// The id of the city in the list's row of this number.
    pub(crate) async fn id_of_row(&self, row: usize) -> Result<String, Failure> {
        let selector = format!("#rows tr:nth-child({row})");
        let row = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(&selector)).await?;
        Ok(row.attr("data-id").await?.unwrap_or_default())
    }

    /// A picture of what is seen, for people to look at.
    pub(crate) async fn save_screenshot(&self, name: &str) -> Result<(), Failure> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::write(folder.join(name).with_extension("png"), self.client.screenshot().await?)?;
        Ok(())
    }

    pub(crate) async fn close(self) {
        // It may be gone already.
        drop(self.client.close().await);
        drop(self.driver);
    }
}

impl Driver {
    /// Starts it, and gives its address.
    fn start() -> Result<(Self, String), Failure> {
        let program = program("CHROMEDRIVER_BINARY", &["chromedriver"])?;
        let profile = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(program);
        command.arg(format!("--port={port}")).env("TMPDIR", profile.path());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let driver = Self { child, profile };
        let address = format!("127.0.0.1:{port}");
        let deadline = std::time::Instant::now() + PATIENCE;
        while TcpStream::connect(&address).is_err() {
            if std::time::Instant::now() > deadline {
                return Err("ChromeDriver does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok((driver, format!("http://{address}")))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop((self.child.kill(), self.child.wait()));
    }
}

/// A program, from the variable that names it or else from the PATH.
fn program(variable: &str, names: &[&str]) -> Result<PathBuf, Failure> {
    if let Some(path) = env::var_os(variable) {
        return Ok(path.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = env::split_paths(&path).collect();
    let found = names.iter().find_map(|name| {
        folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file())
    });
    found.ok_or_else(|| {
        let name = names[0];
        format!(
            "no {name}: install it, or name it in {variable}; `tests/run --test page` does both"
        )
        .into()
    })
}
