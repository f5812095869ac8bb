use axum::{
    http::{HeaderName, header},
    response::Html,
};

const PAGE: &str = include_str!("../page/index.html");

/// It asks nobody but this service, and nobody may put it in a frame.
const POLICY: &str = "default-src 'none'; connect-src 'self'; img-src data:; \
                      script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn page() -> ([(HeaderName, &'static str); 1], Html<&'static str>) {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE))
}
