//! The derive macro of `cached-orm`.
