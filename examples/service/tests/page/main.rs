//! The page, in a browser: what is clicked and typed, and what is then shown.

mod browser;
#[path = "../running/mod.rs"]
mod running;

use browser::{Browser, Screen};
use fantoccini::{Locator, key::Key};
use running::{Failure, Service};
use serde_json::json;

/// A city that is edited, by its place in the list.
const EDIT: Locator<'_> = Locator::Css("#rows tr:nth-child(3) button");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_edits_kills_and_revives() -> Result<(), Failure> {
    let service = Service::start(&["--demo", "--hold-off", "6"]);
    let browser = Browser::start(Screen::Desk).await?;
    let url = format!("http://{}/", service.address);
    let done = async {
        browser.goto(&url).await?;
        numbers_come(&browser).await?;
        a_city_is_edited(&browser, &service).await?;
        an_edit_over_anothers_is_told(&browser, &service).await?;
        a_city_is_added_and_deleted(&browser, &service).await?;
        cities_are_found(&browser).await?;
        the_cache_is_killed_and_revived(&browser, &service).await?;
        nobody_else_is_asked(&browser).await
    };
    let done: Result<(), Failure> = done.await;
    if done.is_err() {
        browser.save_screenshot("failed").await?;
    }
    browser.close().await;
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_fits_a_phone_and_obeys_the_keyboard() -> Result<(), Failure> {
    let service = Service::start(&[]);
    let browser = Browser::start(Screen::Phone).await?;
    let url = format!("http://{}/", service.address);
    let done = async {
        browser.goto(&url).await?;
        browser.id_of_row(10).await?;
        browser.until("#banner", "all is well", |text| text.contains("All is well")).await?;
        let width = "return [innerWidth, document.documentElement.scrollWidth]";
        assert_eq!(browser.run(width).await?, json!([375, 375]), "the page is wider than a phone");
        // Without `--demo` there is nothing to kill.
        let demo = "return document.getElementById('demo').checkVisibility()";
        assert_eq!(browser.run(demo).await?, json!(false));
        everything_has_a_name(&browser).await?;
        a_dialog_is_used_by_keys(&browser).await?;
        browser.run("scrollTo(0, 0)").await?;
        browser.save_screenshot("page-on-a-phone").await?;
        browser.run("scrollTo(0, document.body.scrollHeight)").await?;
        browser.save_screenshot("page-on-a-phone-below").await
    };
    let done: Result<(), Failure> = done.await;
    browser.close().await;
    done
}

/// What the page reads of its numbers: what stands before a blank.
fn number(text: &str) -> f64 {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    digits.parse().unwrap_or(-1.0)
}

async fn numbers_come(browser: &Browser) -> Result<(), Failure> {
    browser.until("#banner", "all is well", |text| text.contains("All is well")).await?;
    browser.until("#hit-ratio", "a good hit ratio", |text| number(text) >= 60.0).await?;
    browser.until("#reads", "the visitors' reads", |text| number(text) >= 100.0).await?;
    browser.until("#p50", "a median", |text| text.ends_with("µs") || text.ends_with("ms")).await?;
    browser.until("#outbox", "an empty outbox", |text| text.contains("empty")).await?;
    browser.until("#servers", "the cache server", |text| text.contains("answers in")).await
}

async fn a_city_is_edited(browser: &Browser, service: &Service) -> Result<(), Failure> {
    let id = browser.id_of_row(3).await?;
    browser.click(EDIT).await?;
    browser.type_over("#city-name", "Neu <b>Stadt</b> & Söhne").await?;
    browser.click(Locator::Css("#save")).await?;
    browser.until("#said", "that it is saved", |text| text.contains("is saved")).await?;
    let shown = "#rows tr:nth-child(3) .name";
    browser
        .until(shown, "the new name", |text| text.starts_with("Neu <b>Stadt</b> & Söhne"))
        .await?;

    browser.reload().await?;
    browser
        .until(shown, "the new name", |text| text.starts_with("Neu <b>Stadt</b> & Söhne"))
        .await?;
    let read = service.ask("GET", &format!("/api/cities/{id}"), &[], None).await?.json();
    assert_eq!((&read["name"], &read["revision"]), (&"Neu <b>Stadt</b> & Söhne".into(), &2.into()));
    Ok(())
}

async fn an_edit_over_anothers_is_told(
    browser: &Browser,
    service: &Service,
) -> Result<(), Failure> {
    let path = format!("/api/cities/{}", browser.id_of_row(3).await?);
    browser.click(EDIT).await?;
    browser.type_over("#city-name", "Mine").await?;
    let theirs = serde_json::json!({ "name": "Theirs" });
    assert_eq!(service.ask("PATCH", &path, &[], Some(theirs)).await?.status, 200);
    browser.click(Locator::Css("#save")).await?;
    browser.until("#trouble", "that it was changed", |text| text.contains("Somebody")).await?;
    assert_eq!(browser.value("#city-name").await?, "Theirs");
    browser.click(Locator::Css("#cancel")).await?;
    let read = service.ask("GET", &path, &[], None).await?.json();
    assert_eq!(read["name"], "Theirs");
    Ok(())
}

async fn a_city_is_added_and_deleted(browser: &Browser, service: &Service) -> Result<(), Failure> {
    browser.click(Locator::Css("#add")).await?;
    for (field, text) in [
        ("#city-name", "Atlantis"),
        ("#city-country", "gr"),
        ("#city-latitude", "36.4"),
        ("#city-longitude", "25.4"),
    ] {
        browser.type_over(field, text).await?;
    }
    browser.click(Locator::Css("#save")).await?;
    let first = "#rows tr:first-child .name";
    browser.until(first, "the new city", |text| text.starts_with("Atlantis")).await?;
    let path = "/api/cities/by-slug/atlantis-gr";
    assert_eq!(service.ask("GET", path, &[], None).await?.json()["latitude"], 36.4);

    browser.click(Locator::Css("#rows tr:first-child button")).await?;
    browser.click(Locator::Css("#delete")).await?;
    browser.until("#delete", "to be asked again", |text| text == "Delete for good").await?;
    browser.click(Locator::Css("#delete")).await?;
    browser.until("#said", "that it is deleted", |text| text == "Atlantis is deleted.").await?;
    assert_eq!(service.ask("GET", path, &[], None).await?.status, 404);
    Ok(())
}

async fn cities_are_found(browser: &Browser) -> Result<(), Failure> {
    browser.type_over("#search", "burg").await?;
    browser.type_over("#country", "de").await?;
    let first = "#rows tr:first-child";
    browser
        .until(first, "a German castle", |text| {
            text.to_lowercase().contains("burg") && text.contains("Germany")
        })
        .await?;
    browser.type_over("#search", "no such city").await?;
    browser.until("#said", "that there is none", |text| text == "No city matches.").await?;
    browser.type_over("#search", "").await?;
    browser.type_over("#country", "lu").await?;
    browser.until(first, "Luxembourg", |text| text.contains("Luxembourg")).await?;
    browser.click(Locator::Css("#more")).await?;
    browser.id_of_row(20).await.map(drop)
}

async fn the_cache_is_killed_and_revived(
    browser: &Browser,
    service: &Service,
) -> Result<(), Failure> {
    browser.type_over("#country", "").await?;
    browser
        .until("#rows tr:first-child", "the first city", |text| text.contains("vila-ad"))
        .await?;
    let loads_before = number(&browser.text("#loads").await?);
    browser.click(Locator::Css("#toggle-cache")).await?;
    browser.until("#banner", "that it is away", |text| text.contains("The cache is away")).await?;
    browser.until("#servers", "that it is down", |text| text.contains("down")).await?;
    browser.until("#hit-ratio", "no hits", |text| number(text) == 0.0).await?;
    let more = |text: &str| number(text) > loads_before.max(100.0);
    browser.until("#loads", "more loads than before", more).await?;
    browser.until("#reads", "reads that go on", |text| number(text) >= 100.0).await?;

    // A write goes on too, and waits in the outbox.
    let path = format!("/api/cities/{}", browser.id_of_row(3).await?);
    browser.click(EDIT).await?;
    browser.type_over("#city-name", "Edited Meanwhile").await?;
    browser.click(Locator::Css("#save")).await?;
    browser.until("#said", "that it is saved", |text| text.contains("is saved")).await?;
    browser.until("#outbox", "keys in the outbox", |text| text.contains("wait")).await?;
    assert_eq!(service.ask("GET", &path, &[], None).await?.json()["name"], "Edited Meanwhile");
    browser.run("scrollTo(0, 0)").await?;
    browser.save_screenshot("page-without-cache").await?;

    browser.until("#toggle-cache", "a way back", |text| text == "Revive the cache").await?;
    browser.click(Locator::Css("#toggle-cache")).await?;
    browser
        .until("#banner", "that it is held off", |text| text.contains("back, and empty"))
        .await?;
    browser.until("#servers", "for how long", |text| text.contains("not filled for")).await?;
    browser.until("#outbox", "an empty outbox", |text| text.contains("empty")).await?;
    browser.until("#banner", "all is well", |text| text.contains("All is well")).await?;
    browser.until("#hit-ratio", "a good hit ratio", |text| number(text) >= 60.0).await?;
    assert_eq!(service.ask("GET", &path, &[], None).await?.json()["name"], "Edited Meanwhile");
    assert_eq!(browser.text("#failed").await?, "0", "no request may have failed");
    browser.run("scrollTo(0, 0)").await?;
    browser.save_screenshot("page").await?;
    Ok(())
}

/// All that the page has asked for is this service's.
async fn nobody_else_is_asked(browser: &Browser) -> Result<(), Failure> {
    let asked = "return performance.getEntriesByType('resource').map((entry) => entry.name)
        .filter((name) => !name.startsWith(location.origin) && !name.startsWith('data:'))";
    assert_eq!(browser.run(asked).await?, json!([]));
    Ok(())
}

/// What can be used says what it is, to who cannot see it.
async fn everything_has_a_name(browser: &Browser) -> Result<(), Failure> {
    let nameless = "return [...document.querySelectorAll('button, input, select, [role=img]')]
        .filter((element) => !(element.ariaLabel || element.labels?.[0]?.textContent.trim()
            || element.textContent.trim())).map((element) => element.outerHTML)";
    assert_eq!(browser.run(nameless).await?, json!([]));
    Ok(())
}

async fn a_dialog_is_used_by_keys(browser: &Browser) -> Result<(), Failure> {
    let focused =
        "return document.activeElement.getAttribute('aria-label') ?? document.activeElement.id";
    browser.run("document.querySelector('#rows button').focus()").await?;
    let opener = browser.run(focused).await?;
    browser.press(Key::Enter).await?;
    browser.until("dialog[open] h2", "an open dialog", |text| text == "Edit a city").await?;
    assert_eq!(browser.run(focused).await?, "city-name");
    browser.press(Key::Escape).await?;
    let closed = "return !document.getElementById('editor').open";
    assert_eq!(browser.run(closed).await?, json!(true));
    assert_eq!(browser.run(focused).await?, opener);
    Ok(())
}
